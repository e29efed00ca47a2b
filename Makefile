.DEFAULT_GOAL := help
.PHONY: help run demo test test-clients test-rabbitmq-4 fuzz bench image compose format lint

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, start broker and processes, list the models (ENDPOINTS=name=url,…)
	@scripts/foreground scripts/run

demo: ## the same with a simulated fleet
	@scripts/foreground scripts/run --demo

test: ## install what is missing and run all tests on private brokers
	@scripts/test

test-clients: ## real clients from PyPI, Node, a JDK, and Chromium against a gateway; writes the table in docs/clients.md
	@scripts/test-clients

test-rabbitmq-4: ## the same on RabbitMQ 4.0 in a container; skipped where there is no engine
	@scripts/test --rabbitmq 4.0

fuzz: ## many mutated requests and answers against a gateway in the tests' process (ROLLCALL_FUZZ_COUNT=…)
	@scripts/fuzz

bench: ## measure against the named references, as ratios in one run
	@scripts/bench

image: ## build the container image, rollcall:latest
	@scripts/image

compose: ## try the deployment in containers: faults, scale, rolling restart
	@deploy/test-compose

format: ## format the sources
	@swift format format --in-place --parallel --recursive Sources Tests deploy Package.swift

lint: ## check format and style
	@swift format lint --strict --parallel --recursive Sources Tests deploy Package.swift
	@scripts/lint-deploy
