package kubernaut.environment_test

import data.kubernaut.environment

told(namespace_labels, cluster_labels) := class if {
	class := environment.environment with input as {
		"namespace": "shop",
		"namespace_labels": namespace_labels,
		"cluster_labels": cluster_labels,
	}
}

test_aliases_are_understood_in_any_case_of_letters if {
	every alias, class in {
		"production": "production",
		"PROD": "production",
		"live": "production",
		"stg": "staging",
		"Dev": "development",
		"qa": "test",
	} {
		told({"env": alias}, {}) == class
	}
}

test_every_label_key_counts if {
	every key in ["environment", "env", "app.kubernetes.io/environment", "kubernaut.io/environment"] {
		told({key: "staging"}, {}) == "staging"
	}
}

test_the_cluster_tells_where_the_namespace_does_not if told({"team": "shop"}, {"environment": "test"}) == "test"

test_labels_that_agree_are_one_answer if told({"env": "prod", "environment": "live"}, {"env": "production"}) == "production"

test_labels_that_disagree_are_no_answer if {
	told({"env": "dev", "environment": "prod"}, {}) == "unknown"
	told({"env": "dev"}, {"env": "prod"}) == "unknown"
}

test_a_word_that_nobody_declared_is_no_answer if {
	told({"env": "blue"}, {}) == "unknown"
	told({"env": "blue", "environment": "dev"}, {}) == "unknown"
	told({"env": ""}, {}) == "unknown"
	told({"env": "lİve"}, {}) == "unknown"
}

test_no_labels_are_no_answer if told({}, {}) == "unknown"

test_an_input_of_another_shape_is_no_answer if {
	told(null, ["prod"]) == "unknown"
	told({"env": null}, {}) == "unknown"
	environment.environment == "unknown" with input as null
}
