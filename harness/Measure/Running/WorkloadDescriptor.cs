using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace Bench.Measure.Running;

/// <summary>What a workload's class adds to the benchmark itself: which cases each profile takes.</summary>
public interface IWorkload
{
    /// <summary>The grids of a profile.</summary>
    static abstract IReadOnlyList<ParameterGrid> Grids(Profile profile);
}

/// <summary>
/// Marks the value of an enum that says that its parameter means nothing in a case. A None that is a choice (no
/// compression, no preallocation) is none of these.
/// </summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class DoesNotApplyAttribute : Attribute;

/// <summary>One parameter of a workload: an ordinary BenchmarkDotNet parameter property.</summary>
/// <param name="Name">The property's name.</param>
/// <param name="Property">The property.</param>
/// <param name="Values">The values that its attribute lists.</param>
public sealed record ParameterInfo(string Name, PropertyInfo Property, IReadOnlyList<object> Values)
{
    /// <summary>A value as it is spelled in records and on the command line; "-" for one that <see cref="DoesNotApplyAttribute"/> marks.</summary>
    public static string Spell(object value) => value is Enum && value.GetType().GetField(value.ToString()!)?.IsDefined(typeof(DoesNotApplyAttribute)) == true ? "-"
        : value is IFormattable formattable
        ? formattable.ToString(null, CultureInfo.InvariantCulture)
        : value.ToString() ?? "";

    /// <summary>Reads a value: one of the listed ones, or any size or number of the parameter's kind.</summary>
    /// <exception cref="PlanException">It is none; the message lists the right ones.</exception>
    public object Parse(string text)
    {
        foreach (var value in Values)
            if (string.Equals(Spell(value), text, StringComparison.OrdinalIgnoreCase))
                return value;
        if (Property.PropertyType == typeof(ByteSize) && ByteSize.TryParse(text, out var size))
            return size;
        if (Property.PropertyType == typeof(int) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
            return number;
        if (TryParseOwn(text) is { } own)
            return own;
        var kind = Property.PropertyType == typeof(ByteSize) ? ", or another size such as 8KiB"
            : Property.PropertyType == typeof(int) ? ", or another number from 1 on"
            : IsParsable ? ", or another spelled as one of these"
            : "";
        throw new PlanException($"{Name} has no value '{text}'; it takes {string.Join(", ", Values.Select(Spell))}{kind}");
    }

    private bool IsParsable => Property.PropertyType is { IsEnum: false, IsPrimitive: false } type
        && type.GetInterfaces().Any(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IParsable<>));

    /// <summary>A parameter of a type of its own reads its own spelling (<see cref="IParsable{TSelf}"/>): a flush policy.</summary>
    private object? TryParseOwn(string text)
    {
        if (!IsParsable)
            return null;
        var parse = Property.PropertyType.GetMethod("TryParse", BindingFlags.Public | BindingFlags.Static, [typeof(string), typeof(IFormatProvider), Property.PropertyType.MakeByRefType()]);
        object?[] arguments = [text, CultureInfo.InvariantCulture, null];
        return parse?.Invoke(null, arguments) is true ? arguments[2] : null;
    }
}

/// <summary>A plan that cannot be carried out; the message is a sentence for the user.</summary>
public sealed class PlanException(string message) : Exception(message);

/// <summary>One workload: its class, its parameters, and its cases by profile.</summary>
public sealed class WorkloadDescriptor
{
    private readonly Func<Profile, IReadOnlyList<ParameterGrid>> grids;

    private WorkloadDescriptor(Type type, Func<Profile, IReadOnlyList<ParameterGrid>> grids)
    {
        this.grids = grids;
        Type = type;
        Parameters = [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => (property, values: ValuesOf(property)))
            .Where(pair => pair.values is not null)
            .Select(pair => new ParameterInfo(pair.property.Name, pair.property, pair.values!))];
    }

    /// <summary>The class.</summary>
    public Type Type { get; }

    /// <summary>The class's name: the workload's.</summary>
    public string Name => Type.Name;

    /// <summary>Its parameters in the order of the source.</summary>
    public IReadOnlyList<ParameterInfo> Parameters { get; }

    /// <summary>Describes a class.</summary>
    public static WorkloadDescriptor Of<TWorkload>() where TWorkload : Workload, IWorkload, new() =>
        new(typeof(TWorkload), TWorkload.Grids);

    /// <summary>The cases of a profile.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="overrides">Parameters whose values the user named: name to spellings.</param>
    /// <returns>Each case once, in the order of the grids.</returns>
    /// <exception cref="PlanException">A value is unknown, or no combination with it is possible.</exception>
    public IReadOnlyList<CaseSpec> Cases(Profile profile, IReadOnlyDictionary<string, IReadOnlyList<string>> overrides)
    {
        var cases = new Dictionary<string, CaseSpec>(StringComparer.Ordinal);
        var reasons = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var grid in grids(profile))
        {
            foreach (var name in grid.Values.Keys)
                if (Parameters.All(parameter => parameter.Name != name))
                    throw new InvalidOperationException($"{Name} has a grid with an unknown parameter {name}.");
            var axes = Parameters.Select(parameter =>
                overrides.TryGetValue(parameter.Name, out var spellings) ? [.. spellings.Select(parameter.Parse)]
                : grid.Values.TryGetValue(parameter.Name, out var values) ? values
                : [parameter.Values[0]]).ToArray();
            foreach (var combination in Combinations(axes))
            {
                var spec = new CaseSpec(this, combination);
                if (spec.Bind().WhyImpossible() is { } reason)
                    reasons.Add(reason);
                else
                    cases.TryAdd(spec.Id, spec);
            }
        }
        if (cases.Count == 0 && overrides.Count > 0 && reasons.Count > 0)
            throw new PlanException($"no case of {Name} is possible with these values: {string.Join("; ", reasons)}");
        return [.. cases.Values];
    }

    private static IEnumerable<object[]> Combinations(object[][] axes)
    {
        IEnumerable<object[]> combinations = [[]];
        return axes.Aggregate(combinations, (all, axis) => all.SelectMany(head => axis.Select(value => (object[])[.. head, value])));
    }

    private static List<object>? ValuesOf(PropertyInfo property)
    {
        if (property.GetCustomAttribute<ParamsAttribute>() is { } listed)
            return [.. listed.Values.Select(value => value!)];
        if (property.GetCustomAttribute<ParamsAllValuesAttribute>() is not null)
            return [.. Enum.GetValues(property.PropertyType).Cast<object>()];
        if (property.GetCustomAttribute<ParamsSourceAttribute>() is { } source)
        {
            var member = property.DeclaringType!.GetProperty(source.Name, BindingFlags.Public | BindingFlags.Static)
                ?? throw new InvalidOperationException($"{property.DeclaringType.Name} has no public static property {source.Name}.");
            return [.. ((System.Collections.IEnumerable)member.GetValue(null)!).Cast<object>()];
        }
        return null;
    }
}

/// <summary>One case: a workload with a value for each of its parameters.</summary>
/// <param name="Workload">The workload.</param>
/// <param name="Values">The values, in the order of the workload's parameters.</param>
public sealed record CaseSpec(WorkloadDescriptor Workload, IReadOnlyList<object> Values)
{
    /// <summary>Workload and parameters: <c>CachePath(Access=Direct, BlockSize=4KiB, …)</c>.</summary>
    public string Id { get; } = $"{Workload.Name}({string.Join(", ", Workload.Parameters.Zip(Values, (p, v) => $"{p.Name}={ParameterInfo.Spell(v)}"))})";

    /// <summary>The parameters as they go into the record.</summary>
    public IReadOnlyDictionary<string, string> Spelled { get; } = new Dictionary<string, string>(
        Workload.Parameters.Zip(Values, (p, v) => KeyValuePair.Create(p.Name, ParameterInfo.Spell(v))));

    /// <summary>An instance with the values set, to ask it about itself; BenchmarkDotNet makes the one that runs.</summary>
    public Workload Bind()
    {
        var instance = (Workload)Activator.CreateInstance(Workload.Type)!;
        for (var i = 0; i < Values.Count; i++)
            Workload.Parameters[i].Property.SetValue(instance, Values[i]);
        return instance;
    }

    /// <summary>A seed of this case alone: the same whatever else is in the run (FNV-1a over the name).</summary>
    public ulong SeedFrom(long runSeed)
    {
        var hash = 14695981039346656037UL ^ (ulong)runSeed;
        foreach (var letter in Id)
            hash = (hash ^ letter) * 1099511628211UL;
        return hash;
    }
}
