"""The ways out of the house: payment providers, warehouses and mail servers, each behind one small protocol."""
