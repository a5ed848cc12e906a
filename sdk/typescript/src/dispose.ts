// Runtimes before explicit resource management lack the symbol; compilers that lower `await using` look for this one.
(Symbol as { asyncDispose?: symbol }).asyncDispose ??= Symbol.for("Symbol.asyncDispose");

export {};
