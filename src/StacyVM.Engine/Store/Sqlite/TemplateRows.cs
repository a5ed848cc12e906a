using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Data.Sqlite;
using StacyVM.Engine.Templates;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table <c>templates</c>.</summary>
internal sealed class TemplateRows(StoreReader reader, StoreWriter writer) : ITemplateStore
{
    private const string Columns =
        "name, version, image, description, provider, setup, allowed_hosts, memory_mb, cpu_cores, ttl_seconds, env, files, secrets, metadata, pool_size, created_at, updated_at";

    private const string Values =
        "$name, $version, $image, $description, $provider, $setup, $allowed_hosts, $memory_mb, $cpu_cores, $ttl_seconds, $env, $files, $secrets, $metadata, $pool_size, $created_at, $updated_at";

    public Task<IReadOnlyList<Template>> ListAsync(CancellationToken cancellation) => ReadAsync("ORDER BY name", null, cancellation);

    public async Task<Template?> FindAsync(string name, CancellationToken cancellation) => (await ReadAsync("WHERE name = $name", name, cancellation)).FirstOrDefault();

    public Task<bool> AddAsync(Template template) =>
        WriteAsync($"INSERT INTO templates ({Columns}) VALUES ({Values}) ON CONFLICT (name) DO NOTHING", command => Fill(command, template));

    public Task<bool> ReplaceAsync(Template read, Template template) => WriteAsync(
        // The time of its creation tells apart one that was deleted and made anew.
        $"UPDATE templates SET ({Columns}) = ({Values}) WHERE name = $name AND version = $read AND created_at = $created_at",
        command =>
        {
            Fill(command, template with { CreatedAt = read.CreatedAt });
            command.Parameters.AddWithValue("$read", read.Version);
        });

    public Task<bool> DeleteAsync(string name) =>
        WriteAsync("DELETE FROM templates WHERE name = $name", command => command.Parameters.AddWithValue("$name", name));

    private async Task<bool> WriteAsync(string sql, Action<SqliteCommand> fill)
    {
        int changed = 0;
        await writer.RunAsync(connection =>
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            fill(command);
            changed = command.ExecuteNonQuery();
        });
        return changed > 0;
    }

    private Task<IReadOnlyList<Template>> ReadAsync(string which, string? name, CancellationToken cancellation) => reader.ReadAsync<Template>(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT {Columns} FROM templates {which}";
        if (name is not null)
            command.Parameters.AddWithValue("$name", name);
        using SqliteDataReader rows = command.ExecuteReader();
        List<Template> templates = [];
        while (rows.Read())
            templates.Add(Read(rows));
        return templates;
    }, cancellation);

    private static void Fill(SqliteCommand command, Template template)
    {
        Set("$name", template.Name);
        Set("$version", template.Version);
        Set("$image", template.Image);
        Set("$description", template.Description);
        Set("$provider", template.Provider);
        Set("$setup", List(template.Setup));
        Set("$allowed_hosts", List(template.AllowedHosts));
        Set("$memory_mb", template.MemoryMb);
        Set("$cpu_cores", template.CpuCores);
        Set("$ttl_seconds", template.TtlSeconds);
        Set("$env", Map(template.Env));
        Set("$files", Map(template.Files));
        Set("$secrets", JsonSerializer.Serialize([.. template.Secrets], TemplateJson.Default.ListTemplateSecret));
        Set("$metadata", Map(template.Metadata));
        Set("$pool_size", template.PoolSize);
        Set("$created_at", StoredTime.Format(template.CreatedAt));
        Set("$updated_at", StoredTime.Format(template.UpdatedAt));

        void Set(string name, object value) => command.Parameters.AddWithValue(name, value);
    }

    private static Template Read(SqliteDataReader row) => new()
    {
        Name = row.GetString(0),
        Version = row.GetInt32(1),
        Image = row.GetString(2),
        Description = row.GetString(3),
        Provider = row.GetString(4),
        Setup = ListAt(row, 5),
        AllowedHosts = ListAt(row, 6),
        MemoryMb = row.GetInt32(7),
        CpuCores = row.GetInt32(8),
        TtlSeconds = row.GetInt32(9),
        Env = MapAt(row, 10),
        Files = MapAt(row, 11),
        Secrets = JsonSerializer.Deserialize(row.GetString(12), TemplateJson.Default.ListTemplateSecret) ?? [],
        Metadata = MapAt(row, 13),
        PoolSize = row.GetInt32(14),
        CreatedAt = StoredTime.Parse(row.GetString(15)),
        UpdatedAt = StoredTime.Parse(row.GetString(16)),
    };

    private static string List(IReadOnlyList<string> list) => JsonSerializer.Serialize([.. list], RestJson.Default.ListString);

    private static string Map(IReadOnlyDictionary<string, string> map) => JsonSerializer.Serialize(new Dictionary<string, string>(map), RestJson.Default.DictionaryStringString);

    private static List<string> ListAt(SqliteDataReader row, int column) => JsonSerializer.Deserialize(row.GetString(column), RestJson.Default.ListString) ?? [];

    private static Dictionary<string, string> MapAt(SqliteDataReader row, int column) =>
        JsonSerializer.Deserialize(row.GetString(column), RestJson.Default.DictionaryStringString) ?? [];
}

/// <summary>How the table keeps secrets.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<TemplateSecret>))]
internal sealed partial class TemplateJson : JsonSerializerContext;
