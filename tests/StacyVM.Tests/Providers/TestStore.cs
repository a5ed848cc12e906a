using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Tests.Providers.Docker;

namespace StacyVM.Tests.Providers;

/// <summary>An image store on a test's own data directory, filled without any registry.</summary>
internal static class TestStore
{
    public const string Busybox = "stacyvm-test/busybox:1";

    public static ImageStore Of(AgentHost host) => new(host.DataDirectory, new ImageOptions { Pull = false }, NullLogger<ImageStore>.Instance, TimeProvider.System);

    public static StoredImage AddBusybox(ImageStore images) => images.Find(Busybox) ?? Add(images, TestImages.SystemArchive(), Busybox);

    public static StoredImage Add(ImageStore images, byte[] archive, string? name) =>
        images.ImportAsync(new MemoryStream(archive), name, null, CancellationToken.None).GetAwaiter().GetResult()[0];
}
