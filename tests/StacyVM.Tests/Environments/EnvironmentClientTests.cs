using StacyVM.Cli;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using StacyVM.Tests.Server;
using Xunit;

namespace StacyVM.Tests.Environments;

public sealed class EnvironmentClientTests
{
    [Fact]
    public async Task The_SDK_saves_builds_and_forgets()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync("unix:///nonexistent/docker.sock");
        using var client = new StacyClient($"http://127.0.0.1:{server.Port}");
        EnvironmentSpecInfo spec = await client.Environments.CreateSpecAsync(new EnvironmentSpecRequest { OwnerId = "ada", Name = "a", BaseImage = "python:3.12", AptPackages = ["curl"] });
        Assert.Equal(spec.Id, Assert.Single(await client.Environments.SpecsAsync("ada")).Id);
        Assert.Equal(["curl"], (await client.Environments.SpecAsync(spec.Id)).AptPackages);
        Assert.Contains("numpy", await client.Environments.SuggestionsAsync(spec.Id));

        EnvironmentBuildInfo build = await client.Environments.BuildAsync(spec.Id);
        await server.FinishedAsync(build.Id);
        Assert.Equal("failed", (await client.Environments.GetBuildAsync(build.Id)).Status);
        Assert.Equal(build.Id, Assert.Single(await client.Environments.BuildsAsync("ada", 1)).Build.Id);
        Assert.False((await client.Environments.SpawnConfigAsync(build.Id)).Ready);
        await Assert.ThrowsAsync<ServerException>(() => client.Environments.CancelBuildAsync(build.Id));

        RegistryConnectionInfo account = await client.Environments.SaveRegistryAsync(new RegistryConnectionRequest { OwnerId = "ada", Provider = "ghcr", Username = "ada", SecretRef = "x" });
        Assert.Equal(account.Id, Assert.Single(await client.Environments.RegistriesAsync("ada")).Id);
        await client.Environments.DeleteRegistryAsync(account.Id);
        await Assert.ThrowsAsync<NotFoundException>(() => client.Environments.DeleteRegistryAsync(account.Id));
    }

    [Theory]
    [InlineData(true, "environment", "spec", "create", "ada", "data", "--base-image", "python:3.12", "--python", "pandas>=2", "--apt", "curl", "--python-version", "3.12")]
    [InlineData(true, "env", "spec", "list", "ada", "--json")]
    [InlineData(true, "environment", "build", "start", "some-id", "--target", "local", "--target", "ghcr")]
    [InlineData(true, "environment", "build", "log", "some-id")]
    [InlineData(true, "environment", "registry", "save", "ada", "ghcr", "ada", "--secret-from", "-", "--default")]
    [InlineData(false, "environment", "registry", "save", "ada", "ghcr", "ada", "secret")]
    [InlineData(false, "environment", "registry", "save", "ada", "ghcr", "ada")]
    [InlineData(false, "environment", "registry", "save", "ada", "quay", "ada", "--secret-from", "-")]
    [InlineData(false, "environment", "spec", "create", "ada", "data")]
    public void Environment_lines_are_understood_or_refused(bool good, params string[] line) => Assert.Equal(good, !CommandLine.Parse(line).Errors.Any());
}
