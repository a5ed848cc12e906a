using StacyVM.Cli;

return await CommandLine.RunAsync(args);
