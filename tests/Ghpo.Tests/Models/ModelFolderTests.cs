using System.Text.Json.Nodes;
using Ghpo.Configuration;
using Ghpo.Models;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ModelType.Qwen2, ScalarType.Float32)]
    [InlineData(ModelType.Qwen3, ScalarType.BFloat16)]
    [InlineData(ModelType.Llama, ScalarType.Float32)]
    public void What_is_saved_is_loaded_bit_by_bit(ModelType type, ScalarType dtype)
    {
        ModelConfig config = TinyModel.Config(type) with { TiedEmbeddings = type != ModelType.Llama };
        using var decoder = new Decoder(config, CPU, dtype);
        decoder.Initialise(3);
        TinyModel.WriteFolder(_folder.Path, config, decoder);

        using LoadedModel loaded = ModelFolder.Load(_folder.Path, CPU, dtype);
        ModelFolder.Save(_folder["again"], loaded);

        Assert.Equal(DecoderTests.Bits(decoder), DecoderTests.Bits(loaded.Decoder));
        Assert.Equal([256], loaded.StopTokens);
        Assert.Equal(File.ReadAllBytes(_folder["model.safetensors"]), File.ReadAllBytes(_folder["again/model.safetensors"]));
        Assert.Equal(File.ReadAllText(_folder["config.json"]), File.ReadAllText(_folder["again/config.json"]));
        Assert.Equal(File.ReadAllText(_folder["tokenizer_config.json"]), File.ReadAllText(_folder["again/tokenizer_config.json"]));
    }

    [Fact]
    public void Keys_that_the_decoder_does_not_need_survive_a_save()
    {
        Write(config => config["initializer_range"] = 0.5);
        using LoadedModel loaded = Load();
        ModelFolder.Save(_folder["again"], loaded);

        Assert.Equal(0.5, JsonNode.Parse(File.ReadAllText(_folder["again/config.json"]))!["initializer_range"]!.GetValue<double>());
    }

    [Fact]
    public void Generation_config_names_the_stop_tokens_before_config()
    {
        Write();
        File.WriteAllText(_folder["generation_config.json"], """{"eos_token_id": [257, 256]}""");
        using LoadedModel loaded = Load();

        Assert.Equal([257, 256], loaded.StopTokens);
    }

    [Fact]
    public void Shards_are_read_through_their_index()
    {
        Write();
        using LoadedModel whole = Load();
        KeyValuePair<string, Tensor>[] tensors = [.. whole.Decoder.named_parameters().Select(entry => KeyValuePair.Create(entry.name, (Tensor)entry.parameter))];
        SafetensorsWriter.Write(_folder["model-00001-of-00002.safetensors"], tensors.Take(5));
        SafetensorsWriter.Write(_folder["model-00002-of-00002.safetensors"], tensors.Skip(5));
        var map = new JsonObject();
        for (int i = 0; i < tensors.Length; i++)
        {
            map[tensors[i].Key] = i < 5 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
        }

        File.WriteAllText(_folder["model.safetensors.index.json"], new JsonObject { ["weight_map"] = map }.ToJsonString());
        File.Delete(_folder["model.safetensors"]);
        using LoadedModel loaded = Load();

        Assert.Equal(DecoderTests.Bits(whole.Decoder), DecoderTests.Bits(loaded.Decoder));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public void A_missing_file_is_named(string file)
    {
        Write();
        File.Delete(_folder[file]);

        Assert.Contains($"{_folder[file]} is missing", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_shape_names_file_tensor_and_both_shapes()
    {
        Write(config => config["intermediate_size"] = 96);

        string message = Refusal();
        Assert.Contains(_folder["model.safetensors"], message, StringComparison.Ordinal);
        Assert.Contains("tensor model.layers.0.mlp.gate_proj.weight has shape [88, 32], config.json asks for [96, 32]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        Write(config => config["num_hidden_layers"] = 3);

        Assert.Matches(@"tensor model\.layers\.2\..* of shape \[.*\] is missing", Refusal());
    }

    [Fact]
    public void A_superfluous_tensor_is_named()
    {
        Write(config => config["num_hidden_layers"] = 1);

        Assert.Matches(@"tensor model\.layers\.1\..* is not part of the model", Refusal());
    }

    [Theory]
    [InlineData("model_type", "\"gpt2\"", "model_type \"gpt2\" is not supported")]
    [InlineData("hidden_size", null, "key hidden_size is missing")]
    [InlineData("hidden_size", "\"many\"", "key hidden_size must be a positive integer, found \"many\"")]
    [InlineData("rope_scaling", """{"type": "yarn"}""", "rope_scaling")]
    [InlineData("use_sliding_window", "true", "sliding-window attention")]
    [InlineData("num_key_value_heads", "3", "num_attention_heads (4) is not a multiple")]
    [InlineData("eos_token_id", "300", "eos_token_id 300 is outside the vocabulary of 300")]
    [InlineData("eos_token_id", null, "eos_token_id")]
    public void A_configuration_that_cannot_be_honoured_is_refused_by_key(string key, string? value, string expected)
    {
        Write(config =>
        {
            config.Remove(key);
            if (value is not null)
            {
                config[key] = JsonNode.Parse(value);
            }
        });

        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_nowhere_says_where_it_was_looked_for()
    {
        string message = Assert.Throws<UserErrorException>(() => ModelFolder.Resolve("no/such/model")).Message;

        Assert.Contains(Environment.CurrentDirectory, message, StringComparison.Ordinal);
        Assert.Contains(AppContext.BaseDirectory, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tpu", "unknown")]
    [InlineData("cuda:x", "unknown")]
    public void An_unknown_device_is_refused(string name, string expected) =>
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Devices.Parse(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void CUDA_without_a_device_says_how_to_build_for_it()
    {
        Assert.SkipWhen(cuda.is_available(), "This machine has a CUDA device.");

        Assert.Contains("-p:TorchBackend=cuda", Assert.Throws<UserErrorException>(() => Devices.Parse("cuda:1")).Message, StringComparison.Ordinal);
    }

    private void Write(Action<JsonObject>? change = null)
    {
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        TinyModel.WriteFolder(_folder.Path, config, decoder);
        JsonObject json = JsonNode.Parse(File.ReadAllText(_folder["config.json"]))!.AsObject();
        change?.Invoke(json);
        File.WriteAllText(_folder["config.json"], json.ToJsonString());
    }

    private LoadedModel Load() => ModelFolder.Load(_folder.Path, CPU, ScalarType.Float32);

    private string Refusal() => Assert.Throws<UserErrorException>(() => Load().Dispose()).Message;
}
