using System.Runtime.Versioning;

// Sandboxes are Linux: modes of files, namespaces and cgroups need no guards against other systems.
[assembly: SupportedOSPlatform("linux")]
