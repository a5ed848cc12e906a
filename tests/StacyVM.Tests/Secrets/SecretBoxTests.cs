using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Secrets;

public sealed class SecretBoxTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-secrets-").FullName;

    private string KeyFile => Path.Combine(_directory, SecretKeyFile.Name);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("p4ss")]
    [InlineData("ключ \u0000 and more")]
    public void What_is_sealed_opens_again_after_a_restart(string secret)
    {
        string text = SecretBox.Open(KeyFile).Seal(secret, "template/a/TOKEN");
        Assert.Equal(secret, SecretBox.Open(KeyFile).Unseal(text, "template/a/TOKEN"));
    }

    [Fact]
    public void The_same_secret_is_sealed_differently_each_time()
    {
        var box = SecretBox.Open(KeyFile);
        Assert.NotEqual(box.Seal("x", "a"), box.Seal("x", "a"));
    }

    [Fact]
    public void A_sealed_secret_opens_only_in_its_own_place_and_with_its_own_key()
    {
        string text = SecretBox.Open(KeyFile).Seal("x", "a");
        Refused(() => SecretBox.Open(KeyFile).Unseal(text, "b"));
        Refused(() => SecretBox.Open(KeyFile + ".other").Unseal(text, "a"));
        Refused(() => SecretBox.Open(KeyFile).Unseal(text[..^4], "a"));
        Refused(() => SecretBox.Open(KeyFile).Unseal("plain text", "a"));
    }

    [Fact]
    public void The_key_file_is_its_owners_alone()
    {
        SecretBox.Open(KeyFile);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_key_file_without_a_key_is_named_and_stays_as_it_is()
    {
        File.WriteAllText(KeyFile, "not a key");
        StacyVMException problem = Assert.Throws<StacyVMException>(() => SecretBox.Open(KeyFile));
        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Contains(KeyFile, problem.Message);
        Assert.Equal("not a key", File.ReadAllText(KeyFile));
    }

    private static void Refused(Action open) => Assert.Equal(ProblemKind.Unavailable, Assert.Throws<StacyVMException>(open).Kind);
}
