using StacyVM.Cli;
using StacyVM.Cli.Templates;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class TemplateFileTests
{
    [Fact]
    public void Yaml_has_the_fields_of_the_API_and_its_texts_stay_texts()
    {
        TemplateRequest read = TemplateFile.Parse(
            """
            name: web/1
            image: node:22
            vcpus: 2
            ttl: 30m
            pool_size: 3
            provider: ""
            description:
            env:
              PORT: 8080
              DEBUG: true
            files:
              /workspace/a.js: |
                console.log(1)
            setup:
              - npm install
            secrets:
              - name: TOKEN
                inject_at: /run/token
                value: 0123
            """, "t.yaml");

        Assert.Equal(("web/1", "node:22", 2, "30m", 3, "", null), (read.Name, read.Image, read.Vcpus, read.Ttl, read.PoolSize, read.Provider, read.Description));
        Assert.Equal(("8080", "true"), (read.Env!["PORT"], read.Env["DEBUG"]));
        Assert.Equal("console.log(1)\n", read.Files!["/workspace/a.js"]);
        Assert.Equal(["npm install"], read.Setup!);
        Assert.Equal(("TOKEN", "/run/token", "0123"), (read.Secrets![0].Name, read.Secrets[0].InjectAt, read.Secrets[0].Value));
    }

    [Fact]
    public void Json_as_the_server_gives_it_can_be_saved_again()
    {
        TemplateRequest read = TemplateFile.Parse(
            """{"name":"a","version":2,"image":"host","memory_mb":64,"vcpus":1,"cpu_cores":1,"secrets":[{"name":"A","inject_at":"B"}],"created_at":"2030-01-01T00:00:00Z","notes":["x"]}""", "t.json");
        Assert.Equal(("a", 64, "B", null), (read.Name, read.MemoryMb, read.Secrets![0].InjectAt, read.Secrets[0].Value));
    }

    [Theory]
    [InlineData("- a", "is not a template")]
    [InlineData("", "is not a template")]
    [InlineData("name: a\nimagee: b", "no field 'imagee'")]
    [InlineData("name: a\nvcpus: two", "field vcpus has the wrong type")]
    [InlineData("env: [s3cret]", "field env has the wrong type")]
    [InlineData("a: [", "is not YAML or JSON at line")]
    public void What_is_no_template_is_refused_without_quoting_a_value(string text, string named)
    {
        UsageException fault = Assert.Throws<UsageException>(() => TemplateFile.Parse(text, "t.yaml"));
        Assert.Contains(named, fault.Message);
        Assert.DoesNotContain("s3cret", fault.Message);
    }

    [Fact]
    public async Task A_secret_comes_from_a_file_and_its_last_line_feed_is_not_part_of_it()
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "token\n");
        try
        {
            List<TemplateSecretRequest> secrets = (await TemplateSources.SecretsAsync(
                [new TemplateSecretRequest { Name = "A", InjectAt = "OLD" }], new() { ["A"] = "/run/a", ["B"] = "B" }, new() { ["A"] = file }, stdinTaken: false, default))!;

            Assert.Equal(("A", "/run/a", "token"), (secrets[0].Name, secrets[0].InjectAt, secrets[0].Value));
            Assert.Equal(("B", "B", null), (secrets[1].Name, secrets[1].InjectAt, secrets[1].Value));
            await Assert.ThrowsAsync<UsageException>(() => TemplateSources.SecretsAsync(null, null, new() { ["A"] = "-" }, stdinTaken: true, default));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
