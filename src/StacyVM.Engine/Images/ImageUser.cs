using System.Globalization;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images;

/// <summary>
/// Whom the programs of an image run as, seen from inside. The image's own user is honoured; root is not, nor is none: those are the ordinary
/// user 1000. One rule for every level that is built here.
/// </summary>
/// <param name="Id">User id.</param>
/// <param name="Group">Group id.</param>
/// <param name="Name">Its name in the image, or <c>sandbox</c>.</param>
/// <param name="Home">Its home in the image; null when it has none.</param>
internal sealed record ImageUser(uint Id, uint Group, string Name, string? Home)
{
    /// <summary>Who runs where an image names nobody, or root.</summary>
    public const uint Ordinary = 1000;

    private const string OrdinaryName = "sandbox";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for a user that the image names and does not have.</exception>
    public static ImageUser Of(StoredImage image, ImageFileReader files)
    {
        string[] parts = image.Config.User.Split(':', 2);
        List<string[]> users = Lines(files.ReadText("etc/passwd"), 6);
        string[]? line = users.Find(fields => fields[0] == parts[0]) ?? users.Find(fields => fields[2] == parts[0]);
        uint id = Number(line?[2] ?? parts[0]) ?? (parts[0].Length == 0 ? 0u : throw Unknown(image, "user", parts[0]));
        if (id == 0)
            return OrdinaryOf(users);
        uint group = parts.Length == 2 ? GroupOf(image, files, parts[1]) : Number(line?[3]) ?? id;
        return new ImageUser(id, group, line?[0] ?? OrdinaryName, HomeOf(line));
    }

    /// <summary><c>/etc/passwd</c> with this user in it.</summary>
    public string Passwd(ImageFileReader files, string home, string shell)
    {
        string text = files.ReadText("etc/passwd") ?? "root:x:0:0:root:/root:/bin/sh\n";
        bool known = Lines(text, 6).Exists(fields => Number(fields[2]) == Id);
        return known ? text : Ended(text) + string.Create(CultureInfo.InvariantCulture, $"{Name}:x:{Id}:{Group}:{Name}:{home}:{shell}\n");
    }

    /// <summary><c>/etc/group</c> with its group in it.</summary>
    public string Groups(ImageFileReader files)
    {
        string text = files.ReadText("etc/group") ?? "root:x:0:\n";
        bool known = Lines(text, 3).Exists(fields => Number(fields[2]) == Group);
        return known ? text : Ended(text) + string.Create(CultureInfo.InvariantCulture, $"{Name}:x:{Group}:\n");
    }

    private static ImageUser OrdinaryOf(List<string[]> users)
    {
        string[]? line = users.Find(fields => Number(fields[2]) == Ordinary);
        return new ImageUser(Ordinary, Number(line?[3]) ?? Ordinary, line?[0] ?? OrdinaryName, HomeOf(line));
    }

    private static uint GroupOf(StoredImage image, ImageFileReader files, string name)
    {
        string[]? line = Lines(files.ReadText("etc/group"), 3).Find(fields => fields[0] == name);
        uint group = Number(line?[2] ?? name) ?? throw Unknown(image, "group", name);
        return group == 0 ? Ordinary : group;
    }

    private static string? HomeOf(string[]? line) => line is [_, _, _, _, _, ['/', _, ..] home, ..] && !home.Contains("..", StringComparison.Ordinal) ? home : null;

    private static List<string[]> Lines(string? text, int fields) =>
        [.. (text ?? "").Split('\n').Select(line => line.TrimEnd('\r').Split(':')).Where(parts => parts.Length >= fields)];

    private static uint? Number(string? text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) && number < 65_534 ? number : null;

    private static string Ended(string text) => text.Length == 0 || text.EndsWith('\n') ? text : text + "\n";

    private static StacyVMException Unknown(StoredImage image, string what, string name) =>
        new(ProblemKind.InvalidInput, $"image {image.Title} wants to run as {what} \"{name}\", whom its /etc/{(what == "user" ? "passwd" : "group")} does not know");
}
