using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm.Qemu;

/// <summary>Machines by QEMU: with the processor's own support, or emulated.</summary>
/// <param name="program">Installed.</param>
/// <param name="kvm">Has been tried and works here.</param>
internal sealed class QemuMonitor(QemuProgram program, bool kvm) : IMachineMonitor
{
    public const string ProviderName = "qemu";

    private const string ControlSocket = "qmp.sock", AgentSocket = "agent.sock", SaveSocket = "save.sock";
    private const int RootDisk = 7, SavedState = 8;
    private const int TranslationCacheMb = 64;
    private const string KvmDevice = "/dev/kvm";
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SaveBound = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    public string Name => ProviderName;

    public string Description => $"QEMU {program.Version}, {(kvm ? "KVM" : "emulated processors (no usable KVM)")}";

    public bool IsAccelerated => kvm;

    public string Compatibility => $"{program.Version} {(kvm ? "kvm" : "tcg")}";

    public uint? NeededGroup => kvm ? FileOwner.Of(KvmDevice)?.Group : null;

    public int OverheadMb => 128 + (kvm ? 0 : TranslationCacheMb);

    public StartProcessRequest Launch(MachinePlan plan)
    {
        List<string> arguments =
        [
            .. Machine(plan.Vcpus, plan.MemoryMb),
            "-name", plan.Folder.ProcessMark.Replace(",", ",,", StringComparison.Ordinal),
            "-kernel", plan.Kernel, "-initrd", plan.Initramfs, "-append", KernelArguments + " -- init",
            "-chardev", "socket,id=control,path=" + ControlSocket + ",server=on,wait=off", "-mon", "chardev=control,mode=control",
            "-chardev", "socket,id=agent,path=" + AgentSocket + ",server=on,wait=off",
            "-device", "virtio-serial-pci,id=ports,max_ports=2,addr=0x3", "-device", "virtserialport,bus=ports.0,nr=1,chardev=agent,name=stacyvm.agent",
            .. Drive("root", "/dev/fd/" + RootDisk.ToString(CultureInfo.InvariantCulture), ",read-only=on", "0x4"),
            .. Drive("disk", "disk", ",discard=unmap", "0x5"),
        ];
        List<InheritedFile> files = [new(0, "/dev/null", false), new(1, plan.Folder.Console, true), new(2, plan.Folder.Console, true), new(RootDisk, plan.RootDisk, false)];
        if (plan.SavedState is { } state)
        {
            files.Add(new(SavedState, state, false));
            arguments.AddRange(["-incoming", "fd:" + SavedState.ToString(CultureInfo.InvariantCulture)]);
        }
        return new StartProcessRequest
        {
            Arguments = arguments,
            WorkingDirectory = plan.Folder.Machine,
            UserId = plan.Owner?.User ?? StartProcessRequest.Inherit,
            GroupId = plan.Owner?.Group ?? StartProcessRequest.Inherit,
            Files = files,
        };
    }

    public StartProcessRequest LaunchTrial(string kernel, string initramfs, string console) => new()
    {
        Arguments = [.. Machine(1, 128), "-kernel", kernel, "-initrd", initramfs, "-append", KernelArguments + " -- init trial"],
        WorkingDirectory = "/",
        Files = [new(0, "/dev/null", false), new(1, console, true), new(2, console, true)],
    };

    public async Task StartedAsync(MachinePlan plan, CancellationToken cancellation)
    {
        // A new machine runs by itself; a saved one is told to when all of it has been read. Asked for before anybody speaks to its agent: the
        // machine shall see the line to the last host broken before it sees another.
        if (plan.SavedState is null)
            return;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(StartBound);
        using QmpClient control = await ConnectAsync(plan.Folder, bound.Token).ConfigureAwait(false);
        while (true)
        {
            bool loaded;
            using (JsonDocument answer = await control.ExecuteAsync("query-status", null, bound.Token).ConfigureAwait(false))
            {
                JsonElement told = answer.RootElement.GetProperty("return"u8);
                if (told.GetProperty("running"u8).GetBoolean())
                    return;
                loaded = told.GetProperty("status"u8).GetString() is not "inmigrate";
            }
            // It stood still when it was saved, and so it does now.
            if (loaded)
                await SetAsync(control, "cont", null, bound.Token).ConfigureAwait(false);
            await Task.Delay(Pause, bound.Token).ConfigureAwait(false);
        }
    }

    public async Task<Stream> OpenAgentAsync(MachineFolder folder, CancellationToken cancellation) =>
        await UnixConnection.OpenAsync(folder.Machine, AgentSocket, cancellation).ConfigureAwait(false);

    public Task PauseAsync(MachineFolder folder, CancellationToken cancellation) => ExecuteAsync(folder, "stop", cancellation);

    public Task ResumeAsync(MachineFolder folder, CancellationToken cancellation) => ExecuteAsync(folder, "cont", cancellation);

    public async Task SaveAsync(MachineFolder folder, string state, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(SaveBound);
        using QmpClient control = await QmpClient.ConnectAsync(folder.Machine, ControlSocket, bound.Token).ConfigureAwait(false);
        await SetAsync(control, "migrate-set-parameters", writer => writer.WriteNumber("max-bandwidth"u8, 0L), bound.Token).ConfigureAwait(false);
        // QEMU may start no program and open no file of ours: it writes to a socket, and the server to the file.
        using Socket listener = UnixListener.Bind(folder.Machine, SaveSocket, FileOwner.Of(folder.Machine)?.User, 1);
        await SetAsync(control, "migrate", writer => writer.WriteString("uri"u8, "unix:" + SaveSocket), bound.Token).ConfigureAwait(false);
        try
        {
            using Socket peer = await listener.AcceptAsync(bound.Token).ConfigureAwait(false);
            await using (var stream = new NetworkStream(peer, ownsSocket: true))
            await using (var file = new FileStream(state, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
                await stream.CopyToAsync(file, 1024 * 1024, bound.Token).ConfigureAwait(false);
            await FinishSaveAsync(control, bound.Token).ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            await CancelSaveAsync(control).ConfigureAwait(false);
            File.Delete(state);
            if (cause is IOException { HResult: Libc.ENOSPC or Libc.EDQUOT })
                throw new StacyVMException(ProblemKind.StorageFull, $"sandbox {folder.Id} cannot be saved: {cause.Message}", cause);
            throw;
        }
        finally
        {
            File.Delete(Path.Combine(folder.Machine, SaveSocket));
        }
    }

    // A panic ends the machine at once. The clock of an emulated processor is no reliable one, and looking for a better one takes seconds.
    private const string KernelArguments = "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t pci=lastbus=0 tsc=reliable no_timer_check random.trust_cpu=on i8042.noaux i8042.nokbd 8250.nr_uarts=1 ipv6.disable=0 cryptomgr.notests rcupdate.rcu_expedited=1";

    private IEnumerable<string> Machine(int vcpus, int memoryMb) =>
    [
        program.Path, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-machine", "pc,usb=off,vmport=off,smm=off,hpet=off",
        "-accel", kvm ? "kvm" : string.Create(CultureInfo.InvariantCulture, $"tcg,thread=multi,tb-size={TranslationCacheMb}"),
        "-cpu", kvm ? "host" : "max",
        "-smp", vcpus.ToString(CultureInfo.InvariantCulture), "-m", memoryMb.ToString(CultureInfo.InvariantCulture) + "M",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
    ];

    private static IEnumerable<string> Drive(string id, string file, string options, string address) =>
    [
        // The image is one file for all machines, and each disk has one machine: locks would only stand in the way of a saved copy.
        "-blockdev", $"driver=file,filename={file},node-name={id}-file,locking=off{options}",
        "-blockdev", $"driver=raw,file={id}-file,node-name={id}{options}",
        "-device", $"virtio-blk-pci,drive={id},addr={address},serial={id}",
    ];

    private static async Task<QmpClient> ConnectAsync(MachineFolder folder, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await QmpClient.ConnectAsync(folder.Machine, ControlSocket, cancellation).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // It makes its sockets a few milliseconds after its start.
                await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    private static async Task ExecuteAsync(MachineFolder folder, string command, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(StartBound);
        using QmpClient control = await QmpClient.ConnectAsync(folder.Machine, ControlSocket, bound.Token).ConfigureAwait(false);
        await SetAsync(control, command, null, bound.Token).ConfigureAwait(false);
    }

    private static async Task SetAsync(QmpClient control, string command, Action<Utf8JsonWriter>? arguments, CancellationToken cancellation) =>
        (await control.ExecuteAsync(command, arguments, cancellation).ConfigureAwait(false)).Dispose();

    private static async Task FinishSaveAsync(QmpClient control, CancellationToken cancellation)
    {
        while (true)
        {
            using (JsonDocument answer = await control.ExecuteAsync("query-migrate", null, cancellation).ConfigureAwait(false))
            {
                JsonElement told = answer.RootElement.GetProperty("return"u8);
                string? status = told.TryGetProperty("status"u8, out JsonElement named) ? named.GetString() : null;
                if (status == "completed")
                    return;
                if (status is "failed" or "cancelled")
                    throw new IOException($"QEMU could not save the machine: {(told.TryGetProperty("error-desc"u8, out JsonElement why) ? why.GetString() : status)}");
            }
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task CancelSaveAsync(QmpClient control)
    {
        try
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await SetAsync(control, "migrate_cancel", null, bound.Token).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is IOException or OperationCanceledException)
        {
            // It has ended, with the machine, or was done.
        }
    }
}
