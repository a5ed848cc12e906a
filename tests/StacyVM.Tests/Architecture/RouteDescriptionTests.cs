using Microsoft.AspNetCore.Routing;
using StacyVM.Server.OpenApi;
using StacyVM.Tests.Server;
using Xunit;

namespace StacyVM.Tests.Architecture;

public sealed class RouteDescriptionTests
{
    /// <summary>What is not described is not in the OpenAPI document, and nobody can know of it.</summary>
    [Fact]
    public async Task Every_route_is_described_where_it_is_mapped()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        IEnumerable<string> faults =
            from route in server.Server.Endpoints.OfType<RouteEndpoint>()
            where route.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal)
            where route.Metadata.GetMetadata<RouteDescription>() is not { Answers.Count: > 0 }
            select $"{route.DisplayName}: add .Describe(new RouteDescription(\"operationName\", \"What it does\").Takes(…).AnswersWith(200, …)) to its mapping, as its neighbours do";

        Assert.Empty(faults);
    }
}
