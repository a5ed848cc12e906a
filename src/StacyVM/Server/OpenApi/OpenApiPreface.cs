namespace StacyVM.Server.OpenApi;

/// <summary>What holds for all routes, at the head of the document.</summary>
internal static class OpenApiPreface
{
    public const string Text = """
        Sandboxes for AI agents: spawn, run commands, move files, look at what they serve.

        - **JSON** is compact, in snake_case, and ends with one line feed. Request keys are read in any case, unknown ones are ignored, and only the first value of a body is read. Optional fields are left out when they are empty; lists are never null.
        - **Errors** are `{"code","message"}` with a code of the closed table `x-problems`; the message says what happened, to which id, and what to do.
        - **Times** are RFC 3339 in UTC. **Durations** are texts such as `30s`, `1h30m` or `1.5h`, in the units `ns`, `us`, `ms`, `s`, `m`, `h`; without a unit only `0` is one.
        - **Keys** come in `X-API-Key`, `X-Admin-API-Key` or as a bearer token. Every operation names its scope in `x-scope`: the client key has `read:*` and `api:*`, the admin key all.
        - **Collections** answer with and without a slash at the end. Unknown paths and methods answer with the error envelope, too.
        - `X-Request-ID` is taken from the request or made, and stands in every answer.
        """;
}
