using StacyVM.Engine.Environments;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Specs of custom images and their builds.</summary>
internal sealed class EnvironmentEndpoints(EnvironmentSpecs specs, EnvironmentBuilds builds)
{
    private const string OwnerMeaning = "Whose; required.";

    private const string Spec =
        """{"id":"1f0c2d74-6f6e-4a57-9a0e-8d1f6b3c5a21","owner_id":"alice","name":"analysis","base_image":"python:3.12-slim","python_packages":["pandas>=2,<3"],"apt_packages":["libpq5"],"python_version":"3.12","created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T10:00:00Z"}""";

    private const string Build =
        """{"id":"7b1e3f52-9c64-4d0b-8a3d-2e5f7c9a1b34","spec_id":"1f0c2d74-6f6e-4a57-9a0e-8d1f6b3c5a21","status":"ready","current_step":"finalize","log":"== docker_build\n","image_size_bytes":182034432,"digest_local":"sha256:9f2c…","created_at":"2026-05-04T10:01:00Z","finished_at":"2026-05-04T10:02:00Z","updated_at":"2026-05-04T10:02:00Z","artifacts":[{"target":"local","image_ref":"local/stacyvm-env:analysis-7b1e3f52","digest":"sha256:9f2c…","status":"ready","created_at":"2026-05-04T10:01:00Z","updated_at":"2026-05-04T10:02:00Z"}]}""";

    public void Map(IEndpointRouteBuilder routes)
    {
        MapSpecs(routes);
        MapBuilds(routes);
    }

    private void MapSpecs(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/environments/specs", CreateSpecAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "createEnvironmentSpec", "Save the spec of an image",
            "Packages are checked strictly and reach pip and apt-get as single arguments. `python_version` is insisted on: a base image `python` without a tag gets it as its tag, one with another version is refused, and of any other image the build looks whether its `python3` has it.")
            .Takes(RestJson.Default.EnvironmentSpecRequest,
                """{"owner_id":"alice","name":"analysis","base_image":"python:3.12-slim","python_packages":["pandas>=2,<3"],"apt_packages":["libpq5"],"python_version":"3.12"}""",
                "owner_id", "name", "base_image")
            .AnswersWith(201, RestJson.Default.EnvironmentSpecInfo, Spec)
            .Fails(ProblemKind.Conflict, ProblemKind.StorageFull));
        routes.MapGet("/environments/specs", ListSpecsAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listEnvironmentSpecs", "List the specs of an owner", "Newest first.")
            .Query("owner_id", OwnerMeaning, required: true, example: "alice")
            .AnswersWith(200, RestJson.Default.ListEnvironmentSpecInfo, RouteExamples.ListOf(Spec)));
        routes.MapGet("/environments/specs/{id}", GetSpecAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getEnvironmentSpec", "Read a spec")
            .AnswersWith(200, RestJson.Default.EnvironmentSpecInfo, Spec)
            .Fails(ProblemKind.NotFound));
        routes.MapGet("/environments/specs/{id}/suggestions", SuggestAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "suggestEnvironmentPackages", "Name packages that often come along")
            .AnswersWith(200, RestJson.Default.EnvironmentSuggestions,
                """{"spec_id":"1f0c2d74-6f6e-4a57-9a0e-8d1f6b3c5a21","suggestions":["pytest","requests","python-dotenv","pandas","numpy"]}""")
            .Fails(ProblemKind.NotFound));
    }

    private void MapBuilds(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/environments/builds", CreateBuildAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "createEnvironmentBuild", "Build an image",
            "Answers at once; two builds run at one time and 128 may wait. With more of them waiting the build is `failed` in the answer, and `error` says so. A target at a registry needs a registry connection of the owner.")
            .Takes(RestJson.Default.EnvironmentBuildRequest, """{"spec_id":"1f0c2d74-6f6e-4a57-9a0e-8d1f6b3c5a21","targets":["local","ghcr"]}""", "spec_id")
            .AnswersWith(201, RestJson.Default.EnvironmentBuildInfo, Build)
            .Fails(ProblemKind.NotFound, ProblemKind.StorageFull));
        routes.MapGet("/environments/builds", ListBuildsAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listEnvironmentBuilds", "List the builds of an owner", "Newest first, each with its spec.")
            .Query("owner_id", OwnerMeaning, required: true, example: "alice")
            .Query("limit", "At most so many, 1 to 200; 30 by default.", "integer", example: "30")
            .AnswersWith(200, RestJson.Default.ListEnvironmentBuildEntry, RouteExamples.ListOf($$"""{"build":{{Build}},"spec":{{Spec}}}""")));
        routes.MapGet("/environments/builds/{id}", GetBuildAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "getEnvironmentBuild", "Read a build", "With its log so far: it grows while the build runs.")
            .AnswersWith(200, RestJson.Default.EnvironmentBuildInfo, Build)
            .Fails(ProblemKind.NotFound));
        routes.MapPost("/environments/builds/{id}/cancel", CancelAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "cancelEnvironmentBuild", "End a build", "Its work on the Docker engine ends, and what it has left there is removed.")
            .AnswersWith(200, RestJson.Default.EnvironmentBuildInfo, Build)
            .Fails(ProblemKind.NotFound, ProblemKind.Conflict, ProblemKind.StorageFull));
        routes.MapGet("/environments/builds/{id}/spawn-config", SpawnConfigAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "getEnvironmentSpawnConfig", "Read how to spawn from a build", "The first ready artifact in the order local, ghcr, dockerhub.")
            .AnswersWith(200, RestJson.Default.EnvironmentSpawnConfig,
                """{"build_id":"7b1e3f52-9c64-4d0b-8a3d-2e5f7c9a1b34","build_status":"ready","ready":true,"provider":"docker","image":"local/stacyvm-env:analysis-7b1e3f52","target":"local","digest":"sha256:9f2c…","note":"the image is on this server's Docker engine"}""")
            .Fails(ProblemKind.NotFound));
    }

    private async Task CreateSpecAsync(HttpContext context)
    {
        EnvironmentSpecRequest request = await JsonBody.ReadAsync(context, RestJson.Default.EnvironmentSpecRequest);
        EnvironmentSpec spec = await specs.CreateAsync(request, context.Caller());
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, spec.ToInfo(), RestJson.Default.EnvironmentSpecInfo);
    }

    private async Task ListSpecsAsync(HttpContext context)
    {
        IReadOnlyList<EnvironmentSpec> found = await specs.ListAsync(context.RequiredOwner(), context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. found.Select(spec => spec.ToInfo())], RestJson.Default.ListEnvironmentSpecInfo);
    }

    private async Task GetSpecAsync(HttpContext context) =>
        await JsonAnswer.OkAsync(context, (await SpecAsync(context)).ToInfo(), RestJson.Default.EnvironmentSpecInfo);

    private async Task SuggestAsync(HttpContext context)
    {
        EnvironmentSpec spec = await SpecAsync(context);
        var answer = new EnvironmentSuggestions { SpecId = spec.Id, Suggestions = EnvironmentSpecs.SuggestionsFor(spec) };
        await JsonAnswer.OkAsync(context, answer, RestJson.Default.EnvironmentSuggestions);
    }

    private async Task CreateBuildAsync(HttpContext context)
    {
        EnvironmentBuildRequest request = await JsonBody.ReadAsync(context, RestJson.Default.EnvironmentBuildRequest);
        EnvironmentBuild build = await builds.CreateAsync(request, context.Caller(), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, build.ToInfo(), RestJson.Default.EnvironmentBuildInfo);
    }

    private async Task ListBuildsAsync(HttpContext context)
    {
        var found = await builds.ListAsync(context.RequiredOwner(), context.Query("limit"), context.Caller(), context.RequestAborted);
        List<EnvironmentBuildEntry> entries = [.. found.Select(pair => new EnvironmentBuildEntry { Build = pair.Build.ToInfo(), Spec = pair.Spec.ToInfo() })];
        await JsonAnswer.OkAsync(context, entries, RestJson.Default.ListEnvironmentBuildEntry);
    }

    private async Task GetBuildAsync(HttpContext context)
    {
        EnvironmentBuild build = await builds.GetAsync(Id(context), context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, build.ToInfo(), RestJson.Default.EnvironmentBuildInfo);
    }

    private async Task CancelAsync(HttpContext context)
    {
        EnvironmentBuild build = await builds.CancelAsync(Id(context), context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, build.ToInfo(), RestJson.Default.EnvironmentBuildInfo);
    }

    private async Task SpawnConfigAsync(HttpContext context) => await JsonAnswer.OkAsync(
        context, await builds.SpawnConfigAsync(Id(context), context.Caller(), context.RequestAborted), RestJson.Default.EnvironmentSpawnConfig);

    private Task<EnvironmentSpec> SpecAsync(HttpContext context) => specs.GetAsync(Id(context), context.Caller(), context.RequestAborted);

    private static string Id(HttpContext context) => (string)context.Request.RouteValues["id"]!;
}
