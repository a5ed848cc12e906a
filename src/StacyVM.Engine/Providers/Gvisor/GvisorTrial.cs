using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// That a sandbox really starts, found out once for an installed runsc and then remembered: each start of gVisor costs a good part of a second of this
/// machine. A failure is tried again after some minutes.
/// </summary>
internal sealed class GvisorTrial
{
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _turn = new(1);
    private (string Edition, string? Reservation)? _passed;
    private (string Edition, long At, StacyVMException Problem)? _failed;

    /// <summary>Returns when it works; what is to be said against it all the same, or null.</summary>
    /// <param name="program">Another one in its place is tried anew.</param>
    /// <param name="trial">Makes a sandbox.</param>
    /// <param name="cancellation">Abandons it.</param>
    /// <exception cref="StacyVMException">What the trial threw, now or not long ago.</exception>
    public async Task<string?> PassAsync(RunscProgram program, Func<CancellationToken, Task<string?>> trial, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            string edition = program.Edition;
            if (_passed is { } passed && passed.Edition == edition)
                return passed.Reservation;
            if (_failed is { } failed && failed.Edition == edition && Environment.TickCount64 - failed.At < Again.TotalMilliseconds)
                throw failed.Problem;
            try
            {
                string? reservation = await trial(cancellation).ConfigureAwait(false);
                _passed = (edition, reservation);
                return reservation;
            }
            catch (StacyVMException problem)
            {
                _failed = (edition, Environment.TickCount64, problem);
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
