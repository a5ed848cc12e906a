using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace StacyVM.Tests.Images;

/// <summary>A real registry on loopback, with a password, and <c>skopeo</c> that pushes to it.</summary>
internal sealed class RegistryProcess : IAsyncDisposable
{
    public const string User = "puller";
    public const string Password = "s3cret-of-the-registry";

    // bcrypt of the password above.
    private const string PasswordLine = "puller:$2b$05$abcdefghijklmnopqrstuuW1e3orFpi1hSyUIjjQsvB7886Cb.S5.";

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-registry-").FullName;
    private readonly Process _process;

    private RegistryProcess(bool locked)
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        string access = locked ? $"\nauth:\n  htpasswd:\n    realm: test\n    path: {_directory}/passwords" : "";
        File.WriteAllText(Path.Combine(_directory, "passwords"), PasswordLine + "\n");
        File.WriteAllText(
            Path.Combine(_directory, "config.yml"),
            $"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {_directory}/data\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:{Port}{access}\n");
        _process = Start("docker-registry", "serve", Path.Combine(_directory, "config.yml"));
        AuthFile = Path.Combine(_directory, "auth.json");
        string encoded = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{User}:{Password}"));
        File.WriteAllText(AuthFile, "{\"auths\":{\"" + Host + "\":{\"auth\":\"" + encoded + "\"}}}");
    }

    public int Port { get; }

    public string Host => $"127.0.0.1:{Port}";

    /// <summary>In the form of Docker's, with the right password.</summary>
    public string AuthFile { get; }

    public static async Task<RegistryProcess> StartAsync(bool locked, CancellationToken cancellation)
    {
        var registry = new RegistryProcess(locked);
        for (int i = 0; i < 200; i++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, registry.Port, cancellation);
                return registry;
            }
            catch (SocketException)
            {
                await Task.Delay(25, cancellation);
            }
        }
        await registry.DisposeAsync();
        throw new InvalidOperationException("the registry did not start");
    }

    public async Task PushAsync(ImageMaker image, string name, CancellationToken cancellation)
    {
        string layout = Directory.CreateDirectory(Path.Combine(_directory, Path.GetRandomFileName())).FullName;
        image.WriteLayout(layout);
        using Process push = Start(
            "skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-authfile", AuthFile, $"oci:{layout}", $"docker://{Host}/{name}");
        string errors = await push.StandardError.ReadToEndAsync(cancellation);
        await push.WaitForExitAsync(cancellation);
        Assert.True(push.ExitCode == 0, errors);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static Process Start(params string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        RedirectStandardError = true,
        RedirectStandardOutput = true,
    })!;
}
