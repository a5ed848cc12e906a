using System.Security.Cryptography;

namespace StacyVM.Cli.Bench;

/// <summary>A data directory for one run. Others may pass through it, as sandboxes have users of their own.</summary>
internal sealed class BenchDirectory : IDisposable
{
    private const UnixFileMode Passage = (UnixFileMode)0b111_001_001;

    public BenchDirectory()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "stacyvm-bench-" + RandomNumberGenerator.GetHexString(8, lowercase: true));
        Directory.CreateDirectory(Path, Passage);
    }

    public string Path { get; }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{Path} could not be removed: {fault.Message}");
        }
    }
}
