namespace StacyVM.Engine.Linux;

/// <summary>Finds installed programs.</summary>
internal static class ProgramFile
{
    /// <summary>The file of a program: a path as it is, a name along PATH and the directories of administrators. Null when there is none.</summary>
    public static string? Locate(string name)
    {
        if (name.Contains('/'))
            return File.Exists(name) ? Path.GetFullPath(name) : null;
        string search = (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin") + ":/usr/sbin:/sbin";
        return search.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }
}
