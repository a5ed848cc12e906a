using Xunit;

namespace StacyVM.Tests;

/// <summary>Tests in it run when no other test of the process does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
