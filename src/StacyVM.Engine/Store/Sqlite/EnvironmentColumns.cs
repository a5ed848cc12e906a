using System.Text.Json;
using Microsoft.Data.Sqlite;
using StacyVM.Engine.Environments;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>Specs, builds and artifacts as columns.</summary>
internal static class EnvironmentColumns
{
    public const string Spec = "id, owner_id, name, base_image, python_packages, apt_packages, python_version, created_at, updated_at";
    public const string SpecValues = "$id, $owner, $name, $base, $python, $apt, $version, $created, $updated";

    public const string Build = "id, spec_id, status, current_step, log_blob, image_size_bytes, digest_local, error, created_at, finished_at, updated_at";
    public const string BuildValues = "$id, $spec, $status, $step, $log, $size, $digest, $error, $created, $finished, $updated";
    public const int BuildCount = 11;

    public const string Artifact = "target, image_ref, digest, status, error, created_at, updated_at";
    public const string ArtifactValues = "$target, $ref, $digest, $status, $error, $created, $updated";

    public static void Fill(SqliteCommand command, EnvironmentSpec spec)
    {
        command.Parameters.AddWithValue("$id", spec.Id);
        command.Parameters.AddWithValue("$owner", spec.OwnerId);
        command.Parameters.AddWithValue("$name", spec.Name);
        command.Parameters.AddWithValue("$base", spec.BaseImage);
        command.Parameters.AddWithValue("$python", List(spec.PythonPackages));
        command.Parameters.AddWithValue("$apt", List(spec.AptPackages));
        command.Parameters.AddWithValue("$version", spec.PythonVersion);
        command.Parameters.AddWithValue("$created", StoredTime.Format(spec.CreatedAt));
        command.Parameters.AddWithValue("$updated", StoredTime.Format(spec.UpdatedAt));
    }

    public static void Fill(SqliteCommand command, EnvironmentBuild build)
    {
        command.Parameters.AddWithValue("$id", build.Id);
        command.Parameters.AddWithValue("$spec", build.SpecId);
        command.Parameters.AddWithValue("$status", build.Status);
        command.Parameters.AddWithValue("$step", build.CurrentStep);
        command.Parameters.AddWithValue("$log", build.Log);
        command.Parameters.AddWithValue("$size", build.ImageSizeBytes);
        command.Parameters.AddWithValue("$digest", build.DigestLocal);
        command.Parameters.AddWithValue("$error", build.Error);
        command.Parameters.AddWithValue("$created", StoredTime.Format(build.CreatedAt));
        command.Parameters.AddWithValue("$finished", build.FinishedAt is { } finished ? StoredTime.Format(finished) : DBNull.Value);
        command.Parameters.AddWithValue("$updated", StoredTime.Format(build.UpdatedAt));
    }

    public static void Fill(SqliteCommand command, BuildArtifact artifact)
    {
        command.Parameters.AddWithValue("$target", artifact.Target);
        command.Parameters.AddWithValue("$ref", artifact.ImageRef);
        command.Parameters.AddWithValue("$digest", artifact.Digest);
        command.Parameters.AddWithValue("$status", artifact.Status);
        command.Parameters.AddWithValue("$error", artifact.Error);
        command.Parameters.AddWithValue("$created", StoredTime.Format(artifact.CreatedAt));
        command.Parameters.AddWithValue("$updated", StoredTime.Format(artifact.UpdatedAt));
    }

    /// <param name="row">The row.</param>
    /// <param name="at">Its first column of a spec.</param>
    public static EnvironmentSpec ReadSpec(SqliteDataReader row, int at) => new()
    {
        Id = row.GetString(at),
        OwnerId = row.GetString(at + 1),
        Name = row.GetString(at + 2),
        BaseImage = row.GetString(at + 3),
        PythonPackages = List(row.GetString(at + 4)),
        AptPackages = List(row.GetString(at + 5)),
        PythonVersion = row.GetString(at + 6),
        CreatedAt = StoredTime.Parse(row.GetString(at + 7)),
        UpdatedAt = StoredTime.Parse(row.GetString(at + 8)),
    };

    /// <summary>Without its artifacts.</summary>
    public static EnvironmentBuild ReadBuild(SqliteDataReader row, int at) => new()
    {
        Id = row.GetString(at),
        SpecId = row.GetString(at + 1),
        Status = row.GetString(at + 2),
        CurrentStep = row.GetString(at + 3),
        Log = row.GetString(at + 4),
        ImageSizeBytes = row.GetInt64(at + 5),
        DigestLocal = row.GetString(at + 6),
        Error = row.GetString(at + 7),
        CreatedAt = StoredTime.Parse(row.GetString(at + 8)),
        FinishedAt = row.IsDBNull(at + 9) ? null : StoredTime.Parse(row.GetString(at + 9)),
        UpdatedAt = StoredTime.Parse(row.GetString(at + 10)),
        Artifacts = [],
    };

    public static BuildArtifact ReadArtifact(SqliteDataReader row) => new()
    {
        Target = row.GetString(0),
        ImageRef = row.GetString(1),
        Digest = row.GetString(2),
        Status = row.GetString(3),
        Error = row.GetString(4),
        CreatedAt = StoredTime.Parse(row.GetString(5)),
        UpdatedAt = StoredTime.Parse(row.GetString(6)),
    };

    private static string List(IReadOnlyList<string> texts) => JsonSerializer.Serialize(texts, RestJson.Default.IReadOnlyListString);

    private static IReadOnlyList<string> List(string json) => JsonSerializer.Deserialize(json, RestJson.Default.IReadOnlyListString) ?? [];
}
