//! How a model searches the web.

use agent_schemas_derive::Record;

use crate::string_enum::closed_enum;

closed_enum! {
    /// The scope of a web search.
    pub enum SearchStrategy {
        /// A quick search.
        Turbo = "turbo",
        /// The standard search.
        Standard = "standard",
        /// The smallest search.
        Lite = "lite",
        /// A search of more sources.
        Pro = "pro",
        /// A search of even more sources.
        ProMax = "pro_max",
        /// The largest of the `pro` searches.
        ProUltra = "pro_ultra",
        /// An exhaustive search for the best answer.
        Max = "max",
        /// An image search.
        Image = "image",
    }
}

/// Options for the web search.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SearchOptions {
    /// Whether the response lists its sources.
    #[record(default)]
    pub enable_source: bool,
    /// Whether the text has citation marks; needs `enable_source`.
    #[record(default)]
    pub enable_citation: bool,
    /// Whether the pages found are read in full.
    #[record(default)]
    pub enable_readpage: bool,
    /// Whether pages are fetched while the response is generated.
    #[record(default)]
    pub enable_online_read: bool,
    /// The format of a citation mark; `<number>` stands for the number of the source.
    #[record(default = "[<number>]".to_owned())]
    pub citation_format: String,
    /// The scope of the search.
    #[record(default = SearchStrategy::Turbo)]
    pub search_strategy: SearchStrategy,
    /// Whether to search even if the model would not.
    #[record(default)]
    pub forced_search: bool,
    /// Whether a streamed response starts with the search results.
    #[record(default)]
    pub prepend_search_result: bool,
    /// Whether to search specialized sources as well, such as weather and stocks.
    #[record(default)]
    pub enable_search_extension: bool,
    /// The maximum number of results to retrieve.
    #[record(default = 20_000)]
    pub item_cnt: i64,
    /// How many of the best results are used; 0 means all.
    #[record(default)]
    pub top_n: i64,
    /// Options for intent detection before the search.
    #[record(default = Some(IntentionOptions::default()))]
    pub intention_options: Option<IntentionOptions>,
}

/// Options for detecting the user's intent.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct IntentionOptions {
    /// The intents to consider; all if empty.
    #[record(default)]
    pub white_list: Vec<String>,
    /// The intents to ignore.
    #[record(default)]
    pub black_list: Vec<String>,
    /// The model that detects the intent.
    #[record(default = "search_v6".to_owned())]
    pub search_model: String,
    /// The effort of the detection.
    pub intensity: Option<i64>,
    /// The vendor's id of the user's scene.
    pub scene_id: Option<String>,
}
