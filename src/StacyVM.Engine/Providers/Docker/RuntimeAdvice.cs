namespace StacyVM.Engine.Providers.Docker;

/// <summary>How a daemon gets an OCI runtime that it does not have.</summary>
internal static class RuntimeAdvice
{
    /// <param name="runtime">As the daemon is to know it.</param>
    /// <returns>What to do, for the end of a sentence.</returns>
    public static string For(string runtime) => runtime switch
    {
        "runsc" => "install gVisor ('apt-get install runsc', or https://gvisor.dev/docs/user_guide/install), name it in /etc/docker/daemon.json: "
            + """{"runtimes": {"runsc": {"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none"]}}}, """
            + "and restart the daemon; or set providers.docker.runtime",
        "kata-runtime" => "install Kata Containers (https://github.com/kata-containers/kata-containers/releases; it needs a /dev/kvm that works), name it in /etc/docker/daemon.json: "
            + """{"runtimes": {"kata-runtime": {"runtimeType": "io.containerd.kata.v2"}}}, """
            + "and restart the daemon (Docker 24 or later); or set providers.docker.runtime",
        _ => "install it, name it in /etc/docker/daemon.json and restart the daemon; or set providers.docker.runtime",
    };
}
