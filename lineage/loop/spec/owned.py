"""Fields of transformers that `loop.yaml` cannot set, each with the reason."""

_UPLOADS = "a loop uploads nothing by itself"
_REPORTS = "the registry is where a loop reports to"
_HELD_OUT = "the held-out data never enter training"
_SEED = "set the loop's own seed; each step's is derived from it"
_SILENT = "the loop shows its own progress"
OWNED_TRAINING = {
    "output_dir": "the loop chooses where models are written",
    "resume_from_checkpoint": "the loop resumes by itself",
    "restore_callback_states_from_checkpoint": "the loop resumes by itself",
    "save_only_model": "training could not go on from such a checkpoint",
    "remove_unused_columns": "the loop's rows have no other columns",
    "ignore_data_skip": "training that a kill interrupted would see other data",
    "auto_find_batch_size": "a machine with less memory would train another model",
    "logging_nan_inf_filter": "a loss that is no number must be seen",
    "do_train": "the loop decides what runs",
    "do_eval": _HELD_OUT,
    "do_predict": "the loop decides what runs",
    "eval_strategy": _HELD_OUT,
    "eval_on_start": _HELD_OUT,
    "load_best_model_at_end": _HELD_OUT,
    "metric_for_best_model": _HELD_OUT,
    "seed": _SEED,
    "data_seed": _SEED,
    "disable_tqdm": _SILENT,
    "debug": _SILENT,
    "log_level": _SILENT,
    "log_level_replica": _SILENT,
    "report_to": _REPORTS,
    "run_name": _REPORTS,
    "push_to_hub": _UPLOADS,
    "hub_model_id": _UPLOADS,
    "hub_token": _UPLOADS,
}
_BASE = "the edge fine_tuned_from says which model an adapter is for"
_KIND = "it is LoRA on a causal language model"
_CHANGES = "it changes the weights below the adapter, which are another commit's"
OWNED_PEFT = {
    "base_model_name_or_path": _BASE,
    "revision": _BASE,
    "auto_mapping": _BASE,
    "task_type": _KIND,
    "peft_type": _KIND,
    "peft_version": _KIND,
    "inference_mode": "an adapter is trained, then used",
    "loftq_config": _CHANGES,
    "eva_config": _CHANGES,
    "corda_config": _CHANGES,
    "lora_ga_config": _CHANGES,
}
_TEXT_ONLY = "the loop keeps the text only"
OWNED_GENERATION = {
    "num_return_sequences": "each record has its own prompt; set num_samples",
    "return_dict_in_generate": _TEXT_ONLY,
    "output_attentions": _TEXT_ONLY,
    "output_hidden_states": _TEXT_ONLY,
    "output_logits": _TEXT_ONLY,
    "output_scores": _TEXT_ONLY,
    "max_time": "the same seed would give other samples on a slower machine",
}
_BEAMS = "it draws records one by one and searches no beams"
_ASSISTANT = "it writes without the help of another model"
_CACHE = "it keeps its own cache, and what is written does not depend on it"
_STATE = "its processor remembers other records, and each is to be drawn by itself"
_STRINGS = "it works on tokens, not on text"
_ENCODER = "its models have no encoder"
_OTHER = "it samples, or takes the likeliest token"
# What the built-in generate step cannot do; a step of the user's may.
NOT_BUILT_IN = {
    "num_beams": _BEAMS,
    "num_beam_groups": _BEAMS,
    "diversity_penalty": _BEAMS,
    "early_stopping": _BEAMS,
    "length_penalty": _BEAMS,
    "constraints": _BEAMS,
    "force_words_ids": _BEAMS,
    "penalty_alpha": _OTHER,
    "dola_layers": _OTHER,
    "low_memory": _OTHER,
    "is_assistant": _ASSISTANT,
    "num_assistant_tokens": _ASSISTANT,
    "num_assistant_tokens_schedule": _ASSISTANT,
    "assistant_confidence_threshold": _ASSISTANT,
    "assistant_early_exit": _ASSISTANT,
    "assistant_ensemble_weight": _ASSISTANT,
    "assistant_lookbehind": _ASSISTANT,
    "target_lookbehind": _ASSISTANT,
    "prompt_lookup_num_tokens": _ASSISTANT,
    "max_matching_ngram_size": _ASSISTANT,
    "speculation_type": _ASSISTANT,
    "use_mtp": _ASSISTANT,
    "use_cache": _CACHE,
    "cache_implementation": _CACHE,
    "cache_config": _CACHE,
    "max_cache_len": _CACHE,
    "prefill_chunk_size": _CACHE,
    "compile_config": _CACHE,
    "disable_compile": _CACHE,
    "continuous_batching_config": _CACHE,
    "guidance_scale": _STATE,
    "watermarking_config": _STATE,
    "stop_strings": _STRINGS,
    "token_healing": _STRINGS,
    "encoder_repetition_penalty": _ENCODER,
    "encoder_no_repeat_ngram_size": _ENCODER,
    "decoder_start_token_id": _ENCODER,
}
