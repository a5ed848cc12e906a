namespace StacyVM.Engine.Store;

/// <summary>A row that is written in batches and may be dropped under pressure.</summary>
internal abstract record LogRow(DateTime CreatedAt);

/// <summary>Output of one command.</summary>
internal sealed record ExecLogRow(
    string SandboxId, string Command, int ExitCode, string Stdout, string Stderr, string Duration, DateTime CreatedAt) : LogRow(CreatedAt);

/// <summary>One operation on a sandbox, for audit.</summary>
/// <param name="Actor">Who asked.</param>
/// <param name="Action">E.g. <c>sandbox.spawn</c>, <c>exec</c>, <c>file.write</c>.</param>
/// <param name="SandboxId">On what.</param>
/// <param name="Resource">Image, command, path.</param>
/// <param name="Provider">Where.</param>
/// <param name="Status"><c>success</c> or <c>failure</c>.</param>
/// <param name="Detail">At most 2,048 characters.</param>
/// <param name="TenantId">Whose sandbox; empty for none.</param>
/// <param name="CreatedAt">UTC.</param>
internal sealed record AuditRow(
    string Actor, string Action, string SandboxId, string Resource, string Provider, string Status, string Detail, string TenantId, DateTime CreatedAt)
    : LogRow(CreatedAt);
