using Microsoft.Data.Sqlite;
using StacyVM.Engine.Environments;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The tables <c>environment_specs</c>, <c>environment_builds</c> and <c>environment_artifacts</c>.</summary>
internal sealed class EnvironmentRows(StoreReader reader, StoreWriter writer) : IEnvironmentStore
{
    private const string IsOpen = "status IN ('queued', 'building')";

    public async Task<bool> AddSpecAsync(EnvironmentSpec spec)
    {
        int added = 0;
        await writer.RunAsync(database =>
        {
            using SqliteCommand command = database.CreateCommand();
            command.CommandText = $"INSERT INTO environment_specs ({EnvironmentColumns.Spec}) VALUES ({EnvironmentColumns.SpecValues}) ON CONFLICT DO NOTHING";
            EnvironmentColumns.Fill(command, spec);
            added = command.ExecuteNonQuery();
        });
        return added > 0;
    }

    public async Task<EnvironmentSpec?> FindSpecAsync(string id, CancellationToken cancellation) =>
        (await ReadSpecsAsync("WHERE id = $key", id, cancellation)).FirstOrDefault();

    public Task<IReadOnlyList<EnvironmentSpec>> ListSpecsAsync(string owner, CancellationToken cancellation) =>
        ReadSpecsAsync("WHERE owner_id = $key ORDER BY created_at DESC, id", owner, cancellation);

    public Task AddBuildAsync(EnvironmentBuild build) => writer.RunAsync(database =>
    {
        using SqliteTransaction transaction = database.BeginTransaction(deferred: false);
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"INSERT INTO environment_builds ({EnvironmentColumns.Build}) VALUES ({EnvironmentColumns.BuildValues})";
        EnvironmentColumns.Fill(command, build);
        command.ExecuteNonQuery();
        SaveArtifacts(database, build);
        transaction.Commit();
    });

    public async Task<bool> SaveBuildAsync(EnvironmentBuild build)
    {
        bool saved = false;
        await writer.RunAsync(database =>
        {
            using SqliteTransaction transaction = database.BeginTransaction(deferred: false);
            using SqliteCommand command = database.CreateCommand();
            command.CommandText = $"UPDATE environment_builds SET ({EnvironmentColumns.Build}) = ({EnvironmentColumns.BuildValues}) WHERE id = $id AND {IsOpen}";
            EnvironmentColumns.Fill(command, build);
            saved = command.ExecuteNonQuery() > 0;
            if (saved)
                SaveArtifacts(database, build);
            transaction.Commit();
        });
        return saved;
    }

    public Task SaveLogAsync(string buildId, string log) => writer.RunAsync(database =>
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"UPDATE environment_builds SET log_blob = $log WHERE id = $id AND {IsOpen}";
        command.Parameters.AddWithValue("$id", buildId);
        command.Parameters.AddWithValue("$log", log);
        command.ExecuteNonQuery();
    });

    public async Task<EnvironmentBuild?> FindBuildAsync(string id, CancellationToken cancellation) => (await reader.ReadAsync<EnvironmentBuild>(database =>
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"SELECT {EnvironmentColumns.Build} FROM environment_builds WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        using SqliteDataReader row = command.ExecuteReader();
        return row.Read() ? [EnvironmentColumns.ReadBuild(row, 0) with { Artifacts = ReadArtifacts(database, id) }] : [];
    }, cancellation)).FirstOrDefault();

    public Task<IReadOnlyList<(EnvironmentBuild Build, EnvironmentSpec Spec)>> ListBuildsAsync(string owner, int limit, CancellationToken cancellation) =>
        reader.ReadAsync<(EnvironmentBuild, EnvironmentSpec)>(database =>
        {
            using SqliteCommand command = database.CreateCommand();
            string build = string.Join(", ", EnvironmentColumns.Build.Split(", ").Select(column => column == "log_blob" ? "substr(b.log_blob, -4096)" : "b." + column));
            string spec = string.Join(", ", EnvironmentColumns.Spec.Split(", ").Select(column => "s." + column));
            command.CommandText = $"""
                SELECT {build}, {spec} FROM environment_builds b JOIN environment_specs s ON s.id = b.spec_id
                WHERE s.owner_id = $owner ORDER BY b.created_at DESC, b.id LIMIT $limit
                """;
            command.Parameters.AddWithValue("$owner", owner);
            command.Parameters.AddWithValue("$limit", limit);
            using SqliteDataReader row = command.ExecuteReader();
            List<(EnvironmentBuild, EnvironmentSpec)> found = [];
            while (row.Read())
            {
                EnvironmentBuild read = EnvironmentColumns.ReadBuild(row, 0);
                found.Add((read with { Artifacts = ReadArtifacts(database, read.Id) }, EnvironmentColumns.ReadSpec(row, EnvironmentColumns.BuildCount)));
            }
            return found;
        }, cancellation);

    public Task<IReadOnlyList<string>> UnfinishedAsync(CancellationToken cancellation) => reader.ReadAsync<string>(database =>
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"SELECT id FROM environment_builds WHERE {IsOpen} ORDER BY created_at, id";
        using SqliteDataReader row = command.ExecuteReader();
        List<string> ids = [];
        while (row.Read())
            ids.Add(row.GetString(0));
        return ids;
    }, cancellation);

    private Task<IReadOnlyList<EnvironmentSpec>> ReadSpecsAsync(string which, string key, CancellationToken cancellation) => reader.ReadAsync<EnvironmentSpec>(database =>
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"SELECT {EnvironmentColumns.Spec} FROM environment_specs {which}";
        command.Parameters.AddWithValue("$key", key);
        using SqliteDataReader row = command.ExecuteReader();
        List<EnvironmentSpec> specs = [];
        while (row.Read())
            specs.Add(EnvironmentColumns.ReadSpec(row, 0));
        return specs;
    }, cancellation);

    private static void SaveArtifacts(SqliteConnection database, EnvironmentBuild build)
    {
        foreach (BuildArtifact artifact in build.Artifacts)
        {
            using SqliteCommand command = database.CreateCommand();
            command.CommandText = $"""
                INSERT INTO environment_artifacts (build_id, {EnvironmentColumns.Artifact}) VALUES ($build, {EnvironmentColumns.ArtifactValues})
                ON CONFLICT (build_id, target) DO UPDATE SET image_ref = excluded.image_ref, digest = excluded.digest, status = excluded.status,
                    error = excluded.error, updated_at = excluded.updated_at
                """;
            command.Parameters.AddWithValue("$build", build.Id);
            EnvironmentColumns.Fill(command, artifact);
            command.ExecuteNonQuery();
        }
    }

    private static List<BuildArtifact> ReadArtifacts(SqliteConnection database, string buildId)
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"SELECT {EnvironmentColumns.Artifact} FROM environment_artifacts WHERE build_id = $build ORDER BY id";
        command.Parameters.AddWithValue("$build", buildId);
        using SqliteDataReader row = command.ExecuteReader();
        List<BuildArtifact> artifacts = [];
        while (row.Read())
            artifacts.Add(EnvironmentColumns.ReadArtifact(row));
        return artifacts;
    }
}
