using System.Globalization;
using System.Text;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Processes;

/// <summary>
/// What tells whose an orphan is under a kernel that lets no supervisor adopt it (gVisor of 2022 takes the request and does nothing): a variable in the
/// environment of each command. A descendant that drops its environment and its parents is ended only with the sandbox.
/// </summary>
internal static unsafe class OrphanMark
{
    private const string Name = "STACYVM_COMMAND=";
    private const int GetChildSubreaper = 37;

    private static long _last;

    // Not before it is needed: randomness keeps a descriptor open for good.
    private static string? _start;

    /// <summary>Asked after this process has wished to be one itself.</summary>
    internal static bool IsNeeded { get; } = !AdoptsOrphans();

    internal static long Next() => IsNeeded ? ++_last : 0;

    /// <summary>The entry of an environment.</summary>
    internal static string Entry(long mark) => (_start ??= Name + Guid.NewGuid().ToString("n") + "-") + mark.ToString(CultureInfo.InvariantCulture);

    internal static bool IsOn(int pid, long mark)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ\0");
        Span<byte> environment = new byte[256 * 1024];
        int length = Descriptor.ReadSmall(Encoding.ASCII.GetBytes(path), environment);
        return length > 0 && environment[..length].IndexOf(Encoding.ASCII.GetBytes(Entry(mark) + "\0")) >= 0;
    }

    private static bool AdoptsOrphans()
    {
        int value = 0;
        Libc.ProcessControl(ProcessOptions.SetChildSubreaper, 1, 0, 0, 0);
        return Libc.ProcessControl(GetChildSubreaper, (nuint)(&value), 0, 0, 0) == 0 && value == 1;
    }
}
