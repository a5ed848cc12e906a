namespace StacyVM.Cli.Bench;

/// <summary>Names by which promises find their measurements.</summary>
internal static class Names
{
    public const string Bubblewrap = "bwrap … true";
    public const string Create = "create → first result over HTTP";
    public const string Exec = "exec of true over HTTP";
    public const string DirectExec = "exec of true without HTTP";
    public const string DockerRun = "docker run --rm … true";
    public const string DockerExec = "docker exec … true";
    public const string Start = "server start → first answer";
    public const string Upload = "64 MiB up";
    public const string Download = "64 MiB down";
    public const string SandboxMemory = "idle memory a sandbox (PSS)";
    public const string BusyServer = "server beside them (RSS)";
    public const string IdleServer = "server without sandboxes (RSS)";
}
