"""dealermart: from dealer records to KPI, incentive and performance-review marts."""

__version__ = "0.1.0"
