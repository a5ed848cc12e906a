namespace StacyVM.Server.OpenApi;

/// <summary>Examples that several routes share, as on the wire.</summary>
internal static class RouteExamples
{
    public const string SandboxId = "sb-4f1c09d2a7b3e865";

    public const string Sandbox = """
        {"id":"sb-4f1c09d2a7b3e865","state":"running","provider":"bubblewrap","image":"host","memory_mb":1024,"vcpus":1,"owner_id":"alice","worker_id":"local","created_at":"2026-05-04T10:00:00.123456Z","expires_at":"2026-05-04T10:30:00.123456Z","metadata":{"purpose":"analysis"},"preview_domain":"localhost:7423"}
        """;

    public const string Template = """
        {"name":"python","version":1,"image":"python:3.12","description":"Data analysis","setup":["pip install numpy"],"init_commands":["pip install numpy"],"memory_mb":1024,"cpu_cores":2,"vcpus":2,"ttl_seconds":1800,"ttl":"30m0s","env":{"MPLBACKEND":"agg"},"secrets":[{"name":"TOKEN","inject_at":"API_TOKEN"}],"pool_size":0,"created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T10:00:00Z"}
        """;

    public const string SpawnedFromTemplate = """
        {"id":"sb-4f1c09d2a7b3e865","state":"running","provider":"docker","image":"python:3.12","memory_mb":1024,"vcpus":2,"worker_id":"local","created_at":"2026-05-04T10:00:00.123456Z","expires_at":"2026-05-04T10:30:00.123456Z","metadata":{"template":"python"},"preview_domain":"localhost:7423"}
        """;

    public const string Process = """
        {"process_id":7,"pid":42,"command":"python3 -m http.server 8000","running":true,"started_at":"2026-05-04T10:01:00Z","output_bytes":118}
        """;

    public const string File = """
        {"path":"/workspace/notes.txt","name":"notes.txt","size":12,"mode":"0644","is_dir":false,"mod_time":"2026-05-04T10:02:00Z","type":"file"}
        """;

    public const string Provider = """
        {"name":"bubblewrap","healthy":true,"default":true,"latency_ms":9,"last_checked":"2026-05-04T10:00:00Z","capabilities":["spawn","exec","exec_stream","files","console","health"],"runtime_count":2,"enforced":{"memory":"control group"},"images":["host"]}
        """;

    public const string Health = """{"status":"ok","version":"0.15.0","uptime":"1h2m3.5s"}""";

    /// <summary>The example of a list that has one element.</summary>
    public static string ListOf(string element) => $"[{element}]";
}
