"""The chain: site → terrain → candidates → visibility → plan → proof → report, each step once."""
