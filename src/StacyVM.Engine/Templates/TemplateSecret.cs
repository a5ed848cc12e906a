namespace StacyVM.Engine.Templates;

/// <summary>A secret of a template, as it is kept.</summary>
/// <param name="Name">Unique in the template.</param>
/// <param name="InjectAt">Absolute path of a file, or name of an environment variable, in the sandbox.</param>
/// <param name="Sealed">Its value, sealed; null: it stands for a variable of the server's environment.</param>
internal sealed record TemplateSecret(string Name, string InjectAt, string? Sealed)
{
    public bool IsFile => InjectAt.StartsWith('/');
}
