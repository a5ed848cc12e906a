using System.Diagnostics;
using System.Security.Cryptography;
using StacyVM.Engine.Configuration;
using StacyVM.Tests.Architecture;

namespace StacyVM.Tests.Providers.Custom;

/// <summary>The reference backend of <c>examples/custom-backend</c>, run as its README says.</summary>
public sealed class ExampleBackend : IDisposable
{
    private readonly Process _python;

    public ExampleBackend()
    {
        string key = RandomNumberGenerator.GetHexString(48, lowercase: true);
        Directory.CreateDirectory(Root);
        var start = new ProcessStartInfo("python3", [Path.Combine(SourceTree.Root, "examples/custom-backend/backend.py"), "--root", Root, "--port", "0"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["STACYVM_BACKEND_KEY"] = key;
        _python = Process.Start(start)!;
        string line = _python.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the example backend ended as soon as it had started");
        Options = new CustomOptions { Enabled = true, BaseUrl = line.Split(' ')[^1], ApiKey = key };
    }

    public string Root { get; } = Path.Combine(Path.GetTempPath(), $"stacyvm-backend-{Guid.NewGuid():n}"[..32]);

    internal CustomOptions Options { get; }

    public void Dispose()
    {
        _python.Kill();
        _python.WaitForExit();
        _python.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
