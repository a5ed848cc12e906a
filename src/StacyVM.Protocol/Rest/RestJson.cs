using System.Text.Json;
using System.Text.Json.Serialization;

namespace StacyVM.Protocol.Rest;

/// <summary>
/// JSON as it stands on the wire: compact, snake_case, empty fields left out, keys read in any case, unknown ones ignored.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNameCaseInsensitive = true,
    NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(SandboxInfo))]
[JsonSerializable(typeof(IReadOnlyList<SandboxInfo>))]
[JsonSerializable(typeof(List<SandboxInfo>))]
[JsonSerializable(typeof(SpawnRequest))]
[JsonSerializable(typeof(ExtendRequest))]
[JsonSerializable(typeof(SpawnAdmissionDecision))]
[JsonSerializable(typeof(QuotaRequest))]
[JsonSerializable(typeof(QuotaInfo))]
[JsonSerializable(typeof(List<QuotaInfo>))]
[JsonSerializable(typeof(QuotaUsage))]
[JsonSerializable(typeof(QuotaSummary))]
[JsonSerializable(typeof(TemplateRequest))]
[JsonSerializable(typeof(TemplateInfo))]
[JsonSerializable(typeof(List<TemplateInfo>))]
[JsonSerializable(typeof(IReadOnlyList<TemplateInfo>))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecResult))]
[JsonSerializable(typeof(StreamChunk))]
[JsonSerializable(typeof(ProcessInfo))]
[JsonSerializable(typeof(List<ProcessInfo>))]
[JsonSerializable(typeof(SignalRequest))]
[JsonSerializable(typeof(ExecSocketMessage))]
[JsonSerializable(typeof(FileInfo))]
[JsonSerializable(typeof(List<FileInfo>))]
[JsonSerializable(typeof(WriteFileBody))]
[JsonSerializable(typeof(MoveFileBody))]
[JsonSerializable(typeof(ChmodFileBody))]
[JsonSerializable(typeof(MakeDirectoryBody))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(StatusBody))]
[JsonSerializable(typeof(PruneResult))]
[JsonSerializable(typeof(HealthInfo))]
[JsonSerializable(typeof(ReadyInfo))]
[JsonSerializable(typeof(ProviderInfo))]
[JsonSerializable(typeof(List<ProviderInfo>))]
[JsonSerializable(typeof(ProviderDetail))]
[JsonSerializable(typeof(SandboxStats))]
[JsonSerializable(typeof(EventMessage))]
[JsonSerializable(typeof(List<PortInfo>))]
[JsonSerializable(typeof(TicketInfo))]
[JsonSerializable(typeof(DiagnosticsInfo))]
[JsonSerializable(typeof(MetricsInfo))]
[JsonSerializable(typeof(LimitsInfo))]
[JsonSerializable(typeof(WorkerInfo))]
[JsonSerializable(typeof(List<WorkerInfo>))]
[JsonSerializable(typeof(List<SnapshotInfo>))]
[JsonSerializable(typeof(PoolStatus))]
[JsonSerializable(typeof(SystemStats))]
[JsonSerializable(typeof(ConfigUpdate))]
[JsonSerializable(typeof(Dictionary<string, System.Text.Json.JsonElement>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(Dictionary<string, bool>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class RestJson : JsonSerializerContext;
