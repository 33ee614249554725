using Bench.Measure;
using Bench.Measure.Running;
using Xunit;

namespace Bench.Harness.Tests.Measure;

public sealed class WorkloadDescriptorTests
{
    private static readonly WorkloadDescriptor Workload = WorkloadDescriptor.Of<PlannedWorkload>();

    private static string[] Ids(Profile profile, params (string Name, string[] Values)[] overrides) =>
        [.. Workload.Cases(profile, overrides.ToDictionary(one => one.Name, one => (IReadOnlyList<string>)one.Values)).Select(spec => spec.Id)];

    [Fact]
    public void ParametersAreTheClasssInTheOrderOfTheSource()
    {
        Assert.Equal("PlannedWorkload", Workload.Name);
        Assert.Equal(["Plan", "Number", "Size"], Workload.Parameters.Select(parameter => parameter.Name));
        Assert.Equal([1, 2, 3], Workload.Parameters[1].Values);
        Assert.Equal([ByteSize.KiB(4), ByteSize.MiB(1)], Workload.Parameters[2].Values);
        Assert.Equal(Enum.GetValues<Plan>().Cast<object>(), Workload.Parameters[0].Values);
    }

    [Fact]
    public void AParameterThatAGridDoesNotNameHasItsFirstValue() =>
        Assert.Equal(
            ["PlannedWorkload(Plan=-, Number=1, Size=4KiB)", "PlannedWorkload(Plan=-, Number=2, Size=4KiB)"],
            Ids(Profile.Smoke));

    [Fact]
    public void ACaseInSeveralGridsIsThereOnceInTheOrderOfTheGrids() =>
        Assert.Equal(
            ["1, Size=4KiB", "1, Size=1MiB", "2, Size=4KiB", "2, Size=1MiB", "3, Size=4KiB"],
            Ids(Profile.Quick).Select(id => id["PlannedWorkload(Plan=-, Number=".Length..^1]));

    [Fact]
    public void ValuesOfTheUserTakeThePlaceOfTheGrids()
    {
        Assert.Equal(
            ["PlannedWorkload(Plan=-, Number=7, Size=4KiB)", "PlannedWorkload(Plan=-, Number=7, Size=8KiB)"],
            Ids(Profile.Smoke, ("Number", ["7"]), ("Size", ["4k", "8192", "8KiB"])));
        Assert.Equal(["PlannedWorkload(Plan=NoSpace, Number=1, Size=4KiB)"], Ids(Profile.Smoke, ("Plan", ["nospace"]), ("Number", ["1"])));
    }

    [Theory]
    [InlineData("Plan", "Never", "FailInPrepare")]
    [InlineData("Plan", "1", "FailInPrepare")]
    [InlineData("Number", "0", "1, 2, 3")]
    [InlineData("Number", "-1", "1, 2, 3")]
    [InlineData("Number", "1.5", "1, 2, 3")]
    [InlineData("Number", "", "1, 2, 3")]
    [InlineData("Size", "0", "4KiB, 1MiB")]
    [InlineData("Size", "4KB", "4KiB, 1MiB")]
    public void AnUnknownValueIsRefusedWithTheRightOnes(string name, string value, string right)
    {
        var message = Assert.Throws<PlanException>(() => Ids(Profile.Smoke, (name, [value]))).Message;
        Assert.Contains($"{name} has no value '{value}'", message, StringComparison.Ordinal);
        Assert.Contains(right, message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnImpossibleCombinationIsLeftOutAndIfNothingIsLeftTheReasonIsTold()
    {
        Assert.Equal(2, Ids(Profile.Smoke, ("Number", ["2", "3"]), ("Size", ["1MiB", "4KiB"])).Count(id => id.Contains("Number=2", StringComparison.Ordinal)));
        var refused = Assert.Throws<PlanException>(() => Ids(Profile.Smoke, ("Number", ["3"]), ("Size", ["1MiB"])));
        Assert.Contains("three does not go with 1MiB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACaseIsSpelledAndBoundAsItsValuesSay()
    {
        var spec = Workload.Cases(Profile.Quick, new Dictionary<string, IReadOnlyList<string>>())[1];
        Assert.Equal(["Plan=-", "Number=1", "Size=1MiB"], spec.Spelled.Select(pair => $"{pair.Key}={pair.Value}"));
        var bound = Assert.IsType<PlannedWorkload>(spec.Bind());
        Assert.Equal((Plan.None, 1, ByteSize.MiB(1)), (bound.Plan, bound.Number, bound.Size));
        Assert.NotSame(bound, spec.Bind());
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("ko-KR")]
    [InlineData("ar-SA")]
    public void IdsAreTheSameUnderEveryCulture(string culture)
    {
        var invariant = Ids(Profile.Full);
        using var set = new CultureScope(culture);
        Assert.Equal(invariant, Ids(Profile.Full));
    }

    [Fact]
    public void ACasesSeedIsItsOwnAndTheSameWhateverElseIsInTheRun()
    {
        var quick = Workload.Cases(Profile.Quick, new Dictionary<string, IReadOnlyList<string>>());
        var smoke = Workload.Cases(Profile.Smoke, new Dictionary<string, IReadOnlyList<string>>());
        Assert.Equal(quick.Count, quick.Select(spec => spec.SeedFrom(1)).Distinct().Count());
        Assert.Equal(quick[0].SeedFrom(1), smoke[0].SeedFrom(1));
        Assert.NotEqual(quick[0].SeedFrom(1), quick[0].SeedFrom(2));
    }

    [Fact]
    public void AGridWithAParameterThatTheWorkloadLacksIsAnErrorOfTheSource()
    {
        var broken = WorkloadDescriptor.Of<MisspelledWorkload>();
        Assert.Contains("Nummer", Assert.Throws<InvalidOperationException>(() => broken.Cases(Profile.Smoke, new Dictionary<string, IReadOnlyList<string>>())).Message, StringComparison.Ordinal);
    }

    public sealed class MisspelledWorkload : PlannedWorkload, IWorkload
    {
        public static new IReadOnlyList<ParameterGrid> Grids(Profile profile) => [new ParameterGrid().With("Nummer", 1)];
    }
}
