using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Roots;

/// <summary>What the stage is told in its arguments, none of which is a secret.</summary>
/// <param name="Layers">Directory of all unpacked layers.</param>
/// <param name="LayerNames">Those of the image, uppermost first.</param>
/// <param name="Folder">Of the sandbox: has <c>root</c>, <c>upper</c>, <c>work</c> and <c>layers</c>.</param>
/// <param name="User">Host user of the sandbox; <see cref="uint.MaxValue"/> to stay who it is.</param>
/// <param name="StaysRoot">The layers are that user's, while the program begins as who it is.</param>
/// <param name="Directories">Names in the root that must be directories.</param>
/// <param name="Command">What it becomes.</param>
internal sealed record RootStageOptions(string Layers, string[] LayerNames, string Folder, uint User, bool StaysRoot, string[] Directories, string[] Command)
{
    /// <summary><c>stage LAYERS NAME:NAME… FOLDER USER|=USER|- DIRECTORY,… -- COMMAND…</c></summary>
    internal static RootStageOptions Parse(string[] args)
    {
        if (args is not [_, var layers, var names, var folder, var user, var directories, "--", .. { Length: > 0 } command])
            throw new OperationFailure(AgentStatus.InvalidArgument, "usage: stacyvm-agent stage LAYERS NAME:NAME FOLDER USER|=USER|- DIRECTORY,DIRECTORY -- COMMAND");
        uint number = uint.MaxValue;
        if (user != "-" && !uint.TryParse(user.AsSpan(user.StartsWith('=') ? 1 : 0), out number))
            throw new OperationFailure(AgentStatus.InvalidArgument, "the user must be a number, = and a number, or -");
        // These stand in mount options, where both characters separate.
        if (folder.AsSpan().ContainsAny(',', ':'))
            throw new OperationFailure(AgentStatus.InvalidArgument, "the path of the data directory must not have commas or colons for sandboxes from images");
        return new RootStageOptions(layers, names.Split(':'), folder, number, user.StartsWith('='), directories.Split(',', StringSplitOptions.RemoveEmptyEntries), command);
    }
}
