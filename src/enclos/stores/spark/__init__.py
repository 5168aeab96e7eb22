"""Spark: it schedules, DuckDB computes. What is secret goes past it, from this process to the executors' own."""

from enclos.stores.spark.crew import SparkCrew
from enclos.stores.spark.session import SparkPlace

__all__ = ["SparkCrew", "SparkPlace"]
