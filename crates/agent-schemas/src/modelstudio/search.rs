//! How a model searches the web.

use crate::record::record;
use crate::string_enum::closed_enum;

closed_enum! {
    /// How much a search does.
    pub enum SearchStrategy {
        /// A quick search.
        Turbo = "turbo",
        /// The usual search.
        Standard = "standard",
        /// The smallest search.
        Lite = "lite",
        /// A search of more sources.
        Pro = "pro",
        /// A search of still more sources.
        ProMax = "pro_max",
        /// The largest of the `pro` searches.
        ProUltra = "pro_ultra",
        /// A search of everything that there is, for the best answer.
        Max = "max",
        /// A search for pictures.
        Image = "image",
    }
}

record! {
    /// How a model searches the web and what it says of the sources.
    pub struct SearchOptions {
        /// Whether the answer tells its sources.
        enable_source: bool => false,
        /// Whether the text marks what comes from which source; needs `enable_source`.
        enable_citation: bool => false,
        /// Whether the pages that were found are read in full.
        enable_readpage: bool => false,
        /// Whether pages are fetched while the answer is made.
        enable_online_read: bool => false,
        /// The form of a mark; `<number>` in it stands for the source's number.
        citation_format: String => "[<number>]".to_owned(),
        /// How much a search does.
        search_strategy: SearchStrategy => SearchStrategy::Turbo,
        /// Whether to search even where the model would not.
        forced_search: bool => false,
        /// Whether a streamed answer begins with what was found.
        prepend_search_result: bool => false,
        /// Whether to search special sources too, such as those for weather and stocks.
        enable_search_extension: bool => false,
        /// The most that a search may bring back.
        item_cnt: i64 => 20_000,
        /// How many of the best results are used; 0 for all.
        top_n: i64 => 0,
        /// How to find out what is to be searched.
        intention_options: Option<IntentionOptions> => Some(IntentionOptions::default()),
    }
}

record! {
    /// How to find out what a user wants.
    pub struct IntentionOptions {
        /// The intentions that count; all if empty.
        white_list: Vec<String> => Vec::<String>::new(),
        /// The intentions that do not count.
        black_list: Vec<String> => Vec::<String>::new(),
        /// The model that finds out.
        search_model: String => "search_v6".to_owned(),
        /// How hard it tries.
        intensity: Option<i64>,
        /// The scene in which the user is, by its id with the vendor.
        scene_id: Option<String>,
    }
}
