namespace Bench.Measure.Running;

/// <summary>
/// Values for a workload's parameters; the cases are all their combinations. A profile is a few small grids rather
/// than one large one, because most combinations answer no question. A parameter that is not named gets the first
/// of its values.
/// </summary>
public sealed class ParameterGrid
{
    private readonly Dictionary<string, object[]> values = new(StringComparer.Ordinal);

    /// <summary>The named parameters with their values.</summary>
    public IReadOnlyDictionary<string, object[]> Values => values;

    /// <summary>Sets a parameter's values.</summary>
    public ParameterGrid With<T>(string name, params T[] parameterValues) where T : notnull
    {
        values[name] = [.. parameterValues.Cast<object>()];
        return this;
    }
}
