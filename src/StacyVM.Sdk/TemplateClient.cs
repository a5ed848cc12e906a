using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

/// <summary>The templates of a server, as <see cref="StacyClient.Templates"/>: named recipes for sandboxes. See <see cref="StacyClient"/> for the errors that every call can throw.</summary>
public sealed class TemplateClient
{
    private readonly ApiConnection _connection;

    internal TemplateClient(ApiConnection connection) => _connection = connection;

    /// <summary>All of them, by name.</summary>
    public async Task<IReadOnlyList<TemplateInfo>> ListAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("templates", RestJson.Default.ListTemplateInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One template; the values of its secrets are never told.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<TemplateInfo> GetAsync(string name, CancellationToken cancellation = default) =>
        _connection.GetAsync(PathOf(name), RestJson.Default.TemplateInfo, null, cancellation);

    /// <summary>Saves a new template, or changes one.</summary>
    /// <param name="template">Name and, for a new one, image are required.</param>
    /// <param name="replace">When there is one of that name: false is an error, true changes it as <see cref="UpdateAsync"/> does.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServerException">InvalidInput; Conflict when the name is taken and <paramref name="replace"/> is false.</exception>
    public async Task<TemplateInfo> SaveAsync(TemplateRequest template, bool replace = false, CancellationToken cancellation = default)
    {
        if (replace && !string.IsNullOrEmpty(template.Name))
        {
            try
            {
                // First: a change of what is there needs no image.
                return await UpdateAsync(template.Name, template, cancellation).ConfigureAwait(false);
            }
            catch (NotFoundException)
            {
                // It is a new one.
            }
        }
        var call = new ApiCall(HttpMethod.Post, "templates") { Content = ApiCall.Json(template, RestJson.Default.TemplateRequest) };
        return await _connection.CallAsync(call, RestJson.Default.TemplateInfo, cancellation).ConfigureAwait(false);
    }

    /// <summary>Replaces the fields that are given and keeps the others; an empty text, list or dictionary empties a field. A secret without a value keeps the one it has.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<TemplateInfo> UpdateAsync(string name, TemplateRequest changes, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Put, PathOf(name)) { Content = ApiCall.Json(changes, RestJson.Default.TemplateRequest) };
        return _connection.CallAsync(call, RestJson.Default.TemplateInfo, cancellation);
    }

    /// <summary>Deletes a template. Sandboxes that were made of it live on.</summary>
    /// <exception cref="NotFoundException"/>
    public Task DeleteAsync(string name, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, PathOf(name)), cancellation);

    /// <summary>Starts a sandbox from a template and waits until its set-up commands have run.</summary>
    /// <param name="name">The template's.</param>
    /// <param name="overrides">What shall be other than the template says; null for nothing.</param>
    /// <param name="cancellation">Abandons the spawn; nothing stays behind.</param>
    /// <exception cref="NotFoundException"/>
    /// <exception cref="ServerException">InvalidInput with the end of its stderr when a set-up command fails, ExecTimeout when one does not end, Conflict for a secret
    /// without a value; nothing of the sandbox is left. Otherwise as <see cref="StacyClient.SpawnAsync(SpawnRequest, CancellationToken)"/>.</exception>
    public async Task<Sandbox> SpawnAsync(string name, SpawnRequest? overrides = null, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, PathOf(name) + "/spawn")
        {
            Content = ApiCall.Json(overrides ?? new SpawnRequest(), RestJson.Default.SpawnRequest),
            Unhurried = true,
        };
        return new Sandbox(_connection, await _connection.CallAsync(call, RestJson.Default.SandboxInfo, cancellation).ConfigureAwait(false));
    }

    private static string PathOf(string name) => "templates/" + Uri.EscapeDataString(name);
}
