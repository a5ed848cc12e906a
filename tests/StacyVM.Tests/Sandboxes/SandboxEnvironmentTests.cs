using Microsoft.Data.Sqlite;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class SandboxEnvironmentTests
{
    [Fact]
    public async Task The_environment_of_a_template_outlives_the_server()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await SpawnAsync(fixture);
        await fixture.Engine.Templates.DeleteAsync("t");

        await fixture.RestartAsync();

        IReadOnlyDictionary<string, string> seen = await EnvironmentOfAsync(fixture, info.Id);
        Assert.Equal(("1", "s3cret"), (seen["A"], seen["KEY"]));
    }

    [Fact]
    public async Task It_goes_from_the_store_with_its_sandbox()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await SpawnAsync(fixture);
        Assert.NotEqual("", Stored(fixture, info.Id));

        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);

        Assert.Equal("", Stored(fixture, info.Id));
    }

    [Fact]
    public async Task Without_its_key_a_command_is_refused_and_not_run_without_it()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await SpawnAsync(fixture);
        File.Delete(Path.Combine(fixture.Options.DataDir, SecretKeyFile.Name));

        await fixture.RestartAsync();

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(
            () => fixture.Engine.Commands.RunAsync(info.Id, new ExecRequest { Command = "true" }, Anyone, default));
        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
    }

    private static async Task<SandboxInfo> SpawnAsync(EngineFixture fixture)
    {
        await fixture.Engine.Templates.CreateAsync(new TemplateRequest
        {
            Name = "t",
            Image = "host",
            Env = new() { ["A"] = "1" },
            Secrets = [new TemplateSecretRequest { Name = "KEY", Value = "s3cret" }],
        });
        return await fixture.Sandboxes.CreateAsync(new SpawnRequest { Template = "t" }, Anyone, default).WaitAsync(Patience);
    }

    private static async Task<IReadOnlyDictionary<string, string>> EnvironmentOfAsync(EngineFixture fixture, string id)
    {
        var sandbox = (ScriptedSandbox)await fixture.Sandboxes.LivingAsync(id, Anyone, default);
        ExecSpec? spec = null;
        sandbox.Exec = given =>
        {
            spec = given;
            return new ScriptedSession();
        };
        await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "true" }, Anyone, default);
        return spec!.Environment;
    }

    private static string Stored(EngineFixture fixture, string id)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(fixture.Options.DataDir, "stacyvm.db")};Mode=ReadWrite;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT environment_sealed FROM sandboxes WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        return (string)command.ExecuteScalar()!;
    }
}
