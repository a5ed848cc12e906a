using System.Text;
using System.Text.RegularExpressions;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>The accounts of owners at registries: kept with sealed secrets, opened for one push at a time.</summary>
internal sealed partial class RegistryConnections(IRegistryConnectionStore store, SecretBox box, EnvironmentsOptions options, TimeProvider time)
{
    // The name under which Docker Hub has always been known to engines.
    private const string DockerHubServer = "https://index.docker.io/v1/";
    private const int MaxSecretBytes = 4096;

    /// <summary>Makes or replaces one.</summary>
    /// <exception cref="StacyVMException">InvalidInput; Forbidden; Conflict when the account stands under another id.</exception>
    public async Task<RegistryConnection> SaveAsync(RegistryConnectionRequest request, Caller caller)
    {
        string owner = OwnerAccess.OwnerOf(request.OwnerId, caller);
        string provider = request.Provider?.Trim().ToLowerInvariant() ?? "";
        if (provider is not (BuildTarget.Ghcr or BuildTarget.DockerHub))
            throw Invalid($"provider must be {BuildTarget.Ghcr} or {BuildTarget.DockerHub}");
        string username = request.Username?.Trim() ?? "";
        if (username.Length > 128 || !Account().IsMatch(username))
            throw Invalid("username is required: letters, digits and single . _ - between them, as it becomes part of image names");
        string id = string.IsNullOrWhiteSpace(request.Id) ? Guid.NewGuid().ToString() : request.Id.Trim();
        if (!Identifier().IsMatch(id))
            throw Invalid("id must have 1 to 64 letters, digits and . _ -; leave it out to get one");
        string secret = CheckSecret(request.SecretRef);
        DateTime now = time.GetUtcNow().UtcDateTime;
        var connection = new RegistryConnection
        {
            Id = id,
            OwnerId = owner,
            Provider = provider,
            Username = username,
            SealedSecret = box.Seal(secret, PlaceOf(id)),
            IsDefault = request.IsDefault ?? false,
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (!await store.SaveAsync(connection))
            throw new StacyVMException(ProblemKind.Conflict, $"owner {owner} has a connection to {provider} as {username} under another id, or id {id} is another owner's: list the connections and save it under the id it has");
        return await store.FindAsync(id, CancellationToken.None) ?? connection;
    }

    /// <exception cref="StacyVMException">InvalidInput for what is no owner.</exception>
    public async Task<IReadOnlyList<RegistryConnection>> ListAsync(string owner, Caller caller, CancellationToken cancellation)
    {
        string name = OwnerName.Required(owner);
        return OwnerAccess.IsOpen(name, caller) ? await store.ListAsync(name, cancellation) : [];
    }

    /// <exception cref="StacyVMException">NotFound.</exception>
    public async Task DeleteAsync(string id, Caller caller, CancellationToken cancellation)
    {
        bool known = await store.FindAsync(id, cancellation) is { } connection && OwnerAccess.IsOpen(connection.OwnerId, caller);
        if (!known || !await store.DeleteAsync(id))
            throw new StacyVMException(ProblemKind.NotFound, $"registry connection {SpecRules.Shown(id)}");
    }

    /// <summary>What the owner pushes with: the default connection first.</summary>
    /// <exception cref="StacyVMException">NotFound when the owner has none; Unavailable when its secret does not open.</exception>
    public async Task<RegistryLogin> LoginAsync(string owner, string provider, CancellationToken cancellation)
    {
        RegistryConnection connection = (await store.ListAsync(owner, cancellation)).FirstOrDefault(candidate => candidate.Provider == provider)
            ?? throw new StacyVMException(ProblemKind.NotFound, $"owner {owner} has no registry connection to {provider}: make one with POST /environments/registry-connections");
        string secret = box.Unseal(connection.SealedSecret, PlaceOf(connection.Id));
        if (options.Registries.TryGetValue(provider, out string? other))
            return new RegistryLogin(other, other, connection.Username, secret);
        string host = BuildTarget.HostOf(provider);
        return new RegistryLogin(host, provider == BuildTarget.DockerHub ? DockerHubServer : host, connection.Username, secret);
    }

    private static string CheckSecret(string? secret) =>
        string.IsNullOrWhiteSpace(secret) ? throw Invalid("secret_ref is required: the password or token of the account")
        : Encoding.UTF8.GetByteCount(secret) > MaxSecretBytes || secret.Any(char.IsControl) ? throw Invalid($"secret_ref must have at most {MaxSecretBytes} bytes and no control characters")
        : secret;

    private static string PlaceOf(string id) => $"registry/{id}";

    private static StacyVMException Invalid(string detail) => new(ProblemKind.InvalidInput, detail);

    [GeneratedRegex(@"\A[A-Za-z0-9]+(?:(?:\.|__?|-+)[A-Za-z0-9]+)*\z")]
    private static partial Regex Account();

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z")]
    private static partial Regex Identifier();
}
