using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Templates;

/// <summary>A spawn request joined with the template that it names.</summary>
/// <param name="Request">With the template's values where it had none of its own.</param>
/// <param name="Preparation">Null without a template.</param>
internal sealed record TemplateOrder(SpawnRequest Request, Preparation? Preparation);
