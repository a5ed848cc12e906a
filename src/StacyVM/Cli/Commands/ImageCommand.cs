using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ImageCommand
{
    public static Command Create() => new("image", "Images of the levels that are built here; those of Docker are its own")
    {
        List(), Pull(), Import(), Inspect(), Remove(), Prune(),
    };

    private static Command List()
    {
        var command = new Command("list", "List the images that are in the store") { Aliases = { "ls" } };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<ImageInfo> images = [.. await client.ImagesAsync(cancellation)];
            if (!parsed.GetValue(GlobalOptions.Json) && images.Count == 0)
                Console.Out.WriteLine("No images; stacyvm image pull or stacyvm image import brings one");
            else
                Show(parsed, images);
        });
        return command;
    }

    private static Command Pull()
    {
        Argument<string> name = Name();
        var from = new Option<string?>("--from") { Description = "Take it from a provider's own images instead, e.g. docker" };
        var command = new Command("pull", "Pull an image from its registry, also when it is here: a tag may have moved") { name, from };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Show(parsed, [await client.PullImageAsync(parsed.GetRequiredValue(name), new Sentences(), parsed.GetValue(from), cancellation)]);
        });
        return command;
    }

    private static Command Import()
    {
        var file = new Argument<string>("file") { Description = "Archive of docker save, OCI layout or root file system, as tar, also compressed; - is standard input" };
        var called = new Option<string?>("--name", "-n") { Description = "What to call it; needed for a root file system" };
        var command = new Command("import", "Take images out of an archive, e.g. docker save python:3.12 | stacyvm image import -") { file, called };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            string path = parsed.GetRequiredValue(file);
            if (path != "-" && !File.Exists(path))
                throw new UsageException($"there is no file {path}");
            await using Stream archive = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            Show(parsed, [.. await client.ImportImageAsync(archive, parsed.GetValue(called), new Sentences(), cancellation)]);
        });
        return command;
    }

    private static Command Inspect()
    {
        Argument<string> name = Name();
        var command = new Command("inspect", "Show what is known of an image, as JSON") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Printer.Json(await client.ImageAsync(parsed.GetRequiredValue(name), cancellation), RestJson.Default.ImageInfo);
        });
        return command;
    }

    private static Command Remove()
    {
        Argument<string> name = Name();
        var command = new Command("rm", "Remove a name, and the image with its last one") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.RemoveImageAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new StatusBody { Status = "deleted" }, RestJson.Default.StatusBody);
            else
                Console.Out.WriteLine($"Image {TextTable.Visible(parsed.GetRequiredValue(name))} removed");
        });
        return command;
    }

    private static Command Prune()
    {
        var unnamed = new Option<bool>("--unnamed") { Description = "Only those whose last name has moved to another image" };
        var command = new Command("prune", "Remove the images that no sandbox uses") { unnamed };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            ImagePruneResult result = await client.PruneImagesAsync(parsed.GetValue(unnamed), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(result, RestJson.Default.ImagePruneResult);
            else
                Console.Out.WriteLine($"{result.Removed.Count} images removed, {Megabytes(result.FreedBytes)} freed");
        });
        return command;
    }

    private static Argument<string> Name() => new("image") { Description = "Name or digest, e.g. python:3.12" };

    private static void Show(ParseResult parsed, List<ImageInfo> images)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            Printer.Json(images, RestJson.Default.ListImageInfo);
            return;
        }
        var table = new TextTable("IMAGE", "DIGEST", "LAYERS", "SIZE", "STORED");
        foreach (ImageInfo image in images)
        {
            string stored = image.StoredAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            string names = image.Names.Count == 0 ? "(no name)" : string.Join(", ", image.Names);
            table.Add(names, image.Digest[7..19], image.Layers.ToString(CultureInfo.InvariantCulture), Megabytes(image.SizeBytes), stored);
        }
        Console.Out.Write(table);
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    /// <summary>Progress is for people: it stays out of what scripts read.</summary>
    private sealed class Sentences : IProgress<string>
    {
        public void Report(string value) => Console.Error.WriteLine(TextTable.Visible(value));
    }
}
