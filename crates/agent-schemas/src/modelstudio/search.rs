//! How a model searches the web.

use crate::record::record;
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

record! {
    /// Options for the web search.
    pub struct SearchOptions {
        /// Whether the response lists its sources.
        enable_source: bool => false,
        /// Whether the text has citation marks; needs `enable_source`.
        enable_citation: bool => false,
        /// Whether the pages found are read in full.
        enable_readpage: bool => false,
        /// Whether pages are fetched while the response is generated.
        enable_online_read: bool => false,
        /// The format of a citation mark; `<number>` stands for the number of the source.
        citation_format: String => "[<number>]".to_owned(),
        /// The scope of the search.
        search_strategy: SearchStrategy => SearchStrategy::Turbo,
        /// Whether to search even if the model would not.
        forced_search: bool => false,
        /// Whether a streamed response starts with the search results.
        prepend_search_result: bool => false,
        /// Whether to search specialized sources as well, such as weather and stocks.
        enable_search_extension: bool => false,
        /// The maximum number of results to retrieve.
        item_cnt: i64 => 20_000,
        /// How many of the best results are used; 0 means all.
        top_n: i64 => 0,
        /// Options for intent detection before the search.
        intention_options: Option<IntentionOptions> => Some(IntentionOptions::default()),
    }
}

record! {
    /// Options for detecting the user's intent.
    pub struct IntentionOptions {
        /// The intents to consider; all if empty.
        white_list: Vec<String> => Vec::<String>::new(),
        /// The intents to ignore.
        black_list: Vec<String> => Vec::<String>::new(),
        /// The model that detects the intent.
        search_model: String => "search_v6".to_owned(),
        /// The effort of the detection.
        intensity: Option<i64>,
        /// The vendor's id of the user's scene.
        scene_id: Option<String>,
    }
}
