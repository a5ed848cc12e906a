namespace StacyVM.Engine.Providers.Docker;

/// <summary>Where the daemon listens.</summary>
/// <param name="Address"><c>unix:///path</c>, <c>tcp://host:port</c>, <c>http://…</c> or <c>https://…</c>.</param>
internal sealed record DockerEndpoint(Uri Address)
{
    private const string SystemSocket = "/var/run/docker.sock";

    /// <summary>Only a daemon behind a Unix socket can share our file system.</summary>
    public bool MayShareFiles => Address.Scheme == "unix";

    /// <summary>As a person writes it; <see cref="Uri.ToString"/> would add nothing useful to a socket's path.</summary>
    public override string ToString() => MayShareFiles ? "unix://" + Address.AbsolutePath : Address.GetLeftPart(UriPartial.Authority);

    /// <summary>
    /// The configured address, else <c>DOCKER_HOST</c>, else the system's socket, else the rootless daemon's socket of this user.
    /// </summary>
    /// <exception cref="FormatException">The address is not one of the known kinds.</exception>
    public static DockerEndpoint Resolve(string configured, Func<string, string?> environment)
    {
        string address = configured;
        if (address.Length == 0)
            address = environment("DOCKER_HOST") ?? "";
        if (address.Length == 0)
            address = "unix://" + DefaultSocket(environment);
        if (address.StartsWith('/'))
            address = "unix://" + address;
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("unix" or "tcp" or "http" or "https"))
            throw new FormatException($"'{address}' is not a Docker address; write unix:///path/docker.sock or tcp://host:port");
        return new DockerEndpoint(uri);
    }

    private static string DefaultSocket(Func<string, string?> environment)
    {
        if (!File.Exists(SystemSocket) && environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
        {
            string rootless = Path.Combine(runtime, "docker.sock");
            if (File.Exists(rootless))
                return rootless;
        }
        return SystemSocket;
    }
}
