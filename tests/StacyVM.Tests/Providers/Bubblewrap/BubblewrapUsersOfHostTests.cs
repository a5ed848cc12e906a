using System.Diagnostics;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>The same level for another kind of server: an ordinary user, and root on a host that refuses user namespaces.</summary>
public sealed class BubblewrapUsersOfHostTests
{
    private const string OrdinaryUser = "54321";

    [Fact]
    public async Task An_ordinary_user_has_the_level_too()
    {
        Assert.SkipUnless(Libc.GetEffectiveUserId() == 0, "only root can become another user");
        string scratch = Directory.CreateTempSubdirectory("stacyvm-ordinary-").FullName;
        File.SetUnixFileMode(scratch, (UnixFileMode)0x1FF);
        try
        {
            // The tests of this provider again, in a process of that user.
            var start = new ProcessStartInfo("/usr/bin/setpriv")
            {
                ArgumentList =
                {
                    "--reuid", OrdinaryUser, "--regid", OrdinaryUser, "--clear-groups", "--inh-caps=-all",
                    Environment.ProcessPath!, "-class", typeof(BubblewrapLifeTests).FullName!, "-class", typeof(BubblewrapAttackTests).FullName!, "-class", typeof(BubblewrapImageTests).FullName!,
                },
                RedirectStandardOutput = true,
                WorkingDirectory = "/",
            };
            start.Environment["TMPDIR"] = scratch;
            start.Environment["HOME"] = scratch;
            start.Environment["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = scratch;
            using Process tests = Process.Start(start)!;
            string output = await tests.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await tests.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(tests.ExitCode == 0, output);
        }
        finally
        {
            TreeRemoval.Remove(scratch);
        }
    }

    [Fact]
    public async Task Root_without_user_namespaces_drops_to_the_sandboxs_own_user()
    {
        Assert.SkipUnless(Libc.GetEffectiveUserId() == 0, "needs root");
        await using BubblewrapRig rig = await BubblewrapRig.OpenAsync(userNamespaces: false);
        ISandbox sandbox = await rig.CreateAsync();
        (int code, string output) = await BubblewrapRig.RunAsync(sandbox, "id -u; whoami; touch /workspace/x /tmp/x && echo ok; grep -E '^(CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t' | tr '\\n' ' '");
        string[] lines = output.Split('\n');
        Assert.Equal(0, code);
        Assert.True(uint.Parse(lines[0], System.Globalization.CultureInfo.InvariantCulture) >= 2_000_000_000, output);
        Assert.Equal(["sandbox", "ok", "CapPrm:0000000000000000 CapEff:0000000000000000 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2"], lines[1..].Select(line => line.Trim()));
        Assert.NotEqual(0, (await BubblewrapRig.RunAsync(sandbox, "mount -t tmpfs x /tmp || touch /usr/x || cat /etc/shadow || su -c true </dev/null")).Code);
        ProviderHealth health = await rig.Provider.ProbeAsync(CancellationToken.None);
        Assert.Contains("no user namespace", health.Enforced!["namespaces"], StringComparison.Ordinal);
        await sandbox.DestroyAsync(CancellationToken.None);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(rig.Directory, "sandboxes")));
    }
}
