using BenchmarkDotNet.Running;

// The cost of the harness itself:
//
//   dotnet run -c Release --project bench/Micro -- --filter '*'
//
// "OpLoopCost" answers whether the loop costs at most 60 ns per operation over the bare system call: the difference
// of the means of Loop and BareCall. On a busy machine, compare several runs.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
