"""A conformance suite for endpoints that take CXone WFM payloads: `pytest --pyargs contract_tests --wfm-url URL`."""
