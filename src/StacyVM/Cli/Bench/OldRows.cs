using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Bench;

/// <summary>A database as a busy server leaves it after a day.</summary>
internal static class OldRows
{
    /// <summary>Destroyed sandboxes, audit rows and outputs of commands, so many of each.</summary>
    public static async Task WriteAsync(string dataDirectory, int rows)
    {
        var limits = new StoreLimits { ExecLogs = true, MaxWaitingRows = int.MaxValue };
        await using SqliteStore store = SqliteStore.Open(Path.Combine(dataDirectory, "stacyvm.db"), limits, NullLogger.Instance, TimeProvider.System);
        DateTime yesterday = DateTime.UtcNow.AddDays(-1);
        foreach (int[] numbers in Enumerable.Range(0, rows).Chunk(5_000))
        {
            foreach (int number in numbers)
            {
                string id = "sb-" + number.ToString("x16", CultureInfo.InvariantCulture);
                store.Append(new AuditRow("api:X-API-Key", "exec", id, "python3 main.py", "bubblewrap", "success", "exit=0 duration=12ms mode=shell", "", yesterday));
                store.Append(new ExecLogRow(id, "python3 main.py", 0, "42\n", "", "12ms", yesterday));
            }
            await Task.WhenAll(numbers.Select(number => store.SaveAsync(Record(number, yesterday))));
        }
    }

    private static SandboxRecord Record(int number, DateTime time) => new()
    {
        Id = "sb-" + number.ToString("x16", CultureInfo.InvariantCulture),
        State = SandboxStates.Destroyed,
        Provider = "bubblewrap",
        Image = "host",
        MemoryMb = 1024,
        Vcpus = 1,
        DiskMb = 1024,
        OwnerId = $"owner-{number % 100}",
        CreatedAt = time,
        ExpiresAt = time.AddMinutes(30),
        UpdatedAt = time,
        Reason = "destroyed",
    };
}
