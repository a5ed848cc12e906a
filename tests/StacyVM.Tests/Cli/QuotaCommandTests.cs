using StacyVM.Cli;
using StacyVM.Cli.Commands;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class QuotaCommandTests
{
    [Theory]
    [InlineData(true, "quota", "list")]
    [InlineData(true, "quota", "get", "ada")]
    [InlineData(true, "quota", "set", "ada", "--max-sandboxes", "5", "--max-ttl", "8h", "--max-exec-timeout", "10m", "--json")]
    [InlineData(true, "quota", "rm", "ada")]
    [InlineData(true, "quota", "usage", "ada", "--json")]
    [InlineData(true, "spawn", "--dry-run", "--json")]
    [InlineData(false, "quota", "set", "ada", "--max-ttl", "soon")]
    [InlineData(false, "quota", "set", "ada", "--max-sandboxes", "many")]
    [InlineData(false, "quota", "get")]
    [InlineData(false, "quota")]
    public void Quota_lines_are_understood_or_refused(bool good, params string[] line) => Assert.Equal(good, !CommandLine.Parse(line).Errors.Any());

    [Theory]
    [InlineData(true, false, null, "It would be started (3 of 10 sandboxes)")]
    [InlineData(false, true, "max_sandboxes", "It would wait in the queue: the server is full (3 of 10 sandboxes)")]
    [InlineData(false, false, "max_sandboxes", "It would be refused: the server is full (3 of 10 sandboxes)")]
    [InlineData(false, false, "max_sandboxes_per_owner", "It would be refused: the owner has 2 of 2 sandboxes")]
    [InlineData(false, false, "max_ttl", "It would be refused: its time to live is longer than 24h0m0s")]
    [InlineData(false, false, "worker_unavailable", "It would be refused: nothing can run it now; see: stacyvm providers")]
    public void A_trial_is_told_in_a_sentence(bool allowed, bool queueable, string? reason, string sentence) => Assert.Equal(sentence, SpawnTrial.Sentence(new SpawnAdmissionDecision
    {
        Allowed = allowed,
        Queueable = queueable,
        Reason = reason,
        ActiveSandboxes = 3,
        MaxSandboxes = 10,
        ActiveOwnerSandboxes = 2,
        MaxOwnerSandboxes = 2,
        MaxTtl = "24h0m0s",
    }));
}
