using Ghpo.Inspection;
using Xunit;

namespace Ghpo.Tests.Inspecting;

public sealed class LearnerPlaceTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1:40123", "ask there, as in `ghpo pbm 127.0.0.1:40123 run metrics`")]
    [InlineData("10.0.0.5", "10.0.0.5:9110", "ask there, as in `ghpo pbm 10.0.0.5:9110 run metrics`")]
    [InlineData("learner", "0.0.0.0:9111", "ask there, as in `ghpo pbm learner:9111 run metrics`")]
    [InlineData("10.0.0.5", "127.0.0.1:40123", "ask on its machine, as in `ghpo pbm 127.0.0.1:40123 run metrics` (it can be looked into from there alone, ghpo.inspection.host)")]
    [InlineData("10.0.0.5", "[::1]:40123", "ask on its machine, as in `ghpo pbm [::1]:40123 run metrics` (it can be looked into from there alone, ghpo.inspection.host)")]
    [InlineData("10.0.0.5", "", "nobody can look into it (ghpo.inspection.enabled = false there, or no port could be opened)")]
    [InlineData("10.0.0.5", null, "it has not said yet where it can be asked; the run's first lines do, and inspection.json in its folder")]
    public void Who_asks_a_node_for_the_learner_is_told_where_the_learner_listens(string host, string? inspection, string sentence) =>
        Assert.Equal(sentence, LearnerPlace.Sentence(host, inspection, "run metrics"));
}
