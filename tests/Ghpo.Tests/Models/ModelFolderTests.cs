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

    [Fact]
    public void Weights_beyond_the_shard_size_are_saved_in_shards_with_an_index_and_load_again()
    {
        Write();
        using LoadedModel whole = Load();
        WriteShards(whole);

        string[] shards = [.. Directory.GetFiles(_folder["shards"], "*.safetensors").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Assert.True(shards.Length > 2);
        Assert.Equal($"model-00001-of-{shards.Length:00000}.safetensors", shards[0]);
        JsonNode index = JsonNode.Parse(File.ReadAllText(_folder["shards/model.safetensors.index.json"]))!;
        Assert.Equal(DecoderTests.Bits(whole.Decoder).Length, index["metadata"]!["total_size"]!.GetValue<long>());
        Assert.Equal(whole.Decoder.named_parameters().Count(), index["weight_map"]!.AsObject().Count);
        using LoadedModel loaded = ModelFolder.Load(_folder["shards"], CPU, ScalarType.Float32);
        Assert.Equal(DecoderTests.Bits(whole.Decoder), DecoderTests.Bits(loaded.Decoder));
    }

    [Fact]
    public void A_save_leaves_no_weight_file_of_an_earlier_one()
    {
        Write();
        using LoadedModel whole = Load();
        WriteShards(whole);
        ModelFolder.Copy(_folder.Path, _folder["shards"]);
        Assert.Equal(["model.safetensors"], WeightFilesIn("shards"));
        Assert.Equal(File.ReadAllBytes(_folder["model.safetensors"]), File.ReadAllBytes(_folder["shards/model.safetensors"]));

        ModelFolder.Copy(_folder.Path, _folder["shards"], maxShardBytes: 20_000);
        Assert.DoesNotContain("model.safetensors", WeightFilesIn("shards"));
        using LoadedModel loaded = ModelFolder.Load(_folder["shards"], CPU, ScalarType.Float32);
        Assert.Equal(DecoderTests.Bits(whole.Decoder), DecoderTests.Bits(loaded.Decoder));
    }

    [Fact]
    public void A_missing_shard_is_named_with_what_it_should_hold()
    {
        string shard = Shard("model.layers.1.mlp.up_proj.weight");
        File.Delete(shard);

        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(shard)} is missing; model.safetensors.index.json says that it holds .* tensors", ShardRefusal());
    }

    [Fact]
    public void A_shard_without_its_tensor_is_named()
    {
        string shard = Shard("model.layers.1.mlp.up_proj.weight");
        SafetensorsWriter.Write(shard, Array.Empty<TensorSource>());

        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(shard)}: tensor .* is missing; model.safetensors.index.json says that it is here", ShardRefusal());
    }

    [Fact]
    public void A_tensor_in_two_shards_is_named_with_both()
    {
        string shard = Shard("model.layers.1.mlp.up_proj.weight");
        using Tensor extra = ones(32);
        using (SafetensorsFile file = SafetensorsFile.Open(shard))
        {
            SafetensorsWriter.Write(
                _folder["new"],
                file.Entries.Keys.Select(name => TensorSource.Of(name, file)).Append(TensorSource.Of("model.embed_tokens.weight", extra)));
        }

        File.Move(_folder["new"], shard, overwrite: true);
        string message = ShardRefusal();
        Assert.StartsWith(shard, message, StringComparison.Ordinal);
        Assert.Contains("tensor model.embed_tokens.weight is in model-00001-of-", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"../model.safetensors\"", "no file name")]
    [InlineData("7", "no file name")]
    [InlineData(null, "is not in model.safetensors.index.json")]
    public void An_index_that_cannot_be_followed_is_refused_by_entry(string? value, string expected)
    {
        const string Name = "model.norm.weight";
        Shard(Name);
        string index = _folder["shards/model.safetensors.index.json"];
        JsonNode json = JsonNode.Parse(File.ReadAllText(index))!;
        json["weight_map"]!.AsObject().Remove(Name);
        if (value is not null)
        {
            json["weight_map"]![Name] = JsonNode.Parse(value);
        }

        File.WriteAllText(index, json.ToJsonString());
        string message = ShardRefusal();
        Assert.Contains(Name, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_of_whole_numbers_is_no_weight()
    {
        Write();
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["model.safetensors"]))
        {
            using Tensor norm = ones(32, ScalarType.Int64);
            SafetensorsWriter.Write(
                _folder["new"],
                file.Entries.Keys.Select(name => name == "model.norm.weight" ? TensorSource.Of(name, norm) : TensorSource.Of(name, file)));
        }

        File.Move(_folder["new"], _folder["model.safetensors"], overwrite: true);
        Assert.Equal($"{_folder["model.safetensors"]}: tensor model.norm.weight has type I64; weights are F32, BF16 or F16.", Refusal());
    }

    [Fact]
    public void A_head_that_is_stored_twice_must_be_the_embedding_where_they_are_tied()
    {
        Write();
        using Tensor other = ones(300, 32);
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["model.safetensors"]))
        {
            TensorSource[] same = [.. file.Entries.Keys.Select(name => TensorSource.Of(name, file))];
            TensorSource embedding = same.Single(tensor => tensor.Name == "model.embed_tokens.weight");
            SafetensorsWriter.Write(_folder["twice"], same.Append(embedding with { Name = "lm_head.weight" }));
            SafetensorsWriter.Write(_folder["another"], same.Append(TensorSource.Of("lm_head.weight", other)));
        }

        File.Move(_folder["twice"], _folder["model.safetensors"], overwrite: true);
        Load().Dispose();
        File.Move(_folder["another"], _folder["model.safetensors"], overwrite: true);
        Assert.Contains("tensor lm_head.weight differs from model.embed_tokens.weight", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_with_more_ids_than_the_embedding_has_rows_is_refused()
    {
        Write();
        TinyTokenizer.Write(_folder.Path, [.. Enumerable.Range(0, 60).Select(i => $"<|{i}|>")], "", "<|0|>");

        string message = Refusal();
        Assert.StartsWith(_folder["tokenizer.json"], message, StringComparison.Ordinal);
        Assert.Contains("ids go up to 315, but model.embed_tokens.weight has 300 rows", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generation_config_gives_sampling_and_is_saved_along()
    {
        Write();
        File.WriteAllText(_folder["generation_config.json"], """{"eos_token_id": [257, 256], "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95}""");
        using LoadedModel loaded = Load();
        ModelFolder.Save(_folder["again"], loaded);

        GenerationConfig read = GenerationConfig.Read(_folder["again"], loaded.Config);
        Assert.Equal((0.6, 20, 0.95), (read.Temperature, read.TopK, read.TopP));
        Assert.Equal([257, 256], read.StopTokens);
    }

    [Fact]
    public void Llama_3s_frequencies_survive_a_save()
    {
        Write(config => config["rope_scaling"] = JsonNode.Parse(
            """{"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64, "rope_type": "llama3"}"""));
        using LoadedModel loaded = Load();
        ModelFolder.Save(_folder["again"], loaded);

        Assert.Equal(new RopeScaling(8, 1, 4, 64), loaded.Config.RopeScaling);
        Assert.Equal(loaded.Config.RopeScaling, ModelConfig.Read(_folder["again/config.json"]).RopeScaling);
        var made = TinyModel.Config() with { RopeScaling = loaded.Config.RopeScaling };
        made.Write(_folder["made.json"], ScalarType.Float32);
        Assert.Equal(made.RopeScaling, ModelConfig.Read(_folder["made.json"]).RopeScaling);
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
    [InlineData("rope_scaling", """{"type": "yarn"}""", "rope_scaling.type asks for \"yarn\", which is not supported; supported is default and llama3")]
    [InlineData("rope_scaling", """{"rope_type": "dynamic", "factor": 2}""", "rope_scaling.rope_type asks for \"dynamic\"")]
    [InlineData("rope_parameters", """{"rope_type": "longrope", "rope_theta": 1}""", "rope_parameters.rope_type asks for \"longrope\"")]
    [InlineData("rope_scaling", """{"rope_type": "llama3", "factor": 8}""", "key rope_scaling.low_freq_factor is missing")]
    [InlineData("rope_scaling", """{"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "original_max_position_embeddings": 64}""", "high_freq_factor asks for 4")]
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

    private void WriteShards(LoadedModel whole) => ModelFolder.Save(_folder["shards"], whole.Config, whole.Decoder, _folder.Path, maxShardBytes: 30_000);

    /// <summary>Writes a model in shards.</summary>
    /// <returns>The shard that holds <paramref name="tensor"/>.</returns>
    private string Shard(string tensor)
    {
        Write();
        using LoadedModel whole = Load();
        WriteShards(whole);
        return Path.Combine(_folder["shards"], JsonNode.Parse(File.ReadAllText(_folder["shards/model.safetensors.index.json"]))!["weight_map"]![tensor]!.GetValue<string>());
    }

    private string[] WeightFilesIn(string folder) => [.. Directory.GetFiles(_folder[folder], "model*").Select(file => Path.GetFileName(file)!)];

    private string ShardRefusal() => Assert.Throws<UserErrorException>(() => ModelFolder.Load(_folder["shards"], CPU, ScalarType.Float32).Dispose()).Message;

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
